import { err, ok, type Result } from '../result.ts'
import type { TaskCaller } from './caller.ts'
import { NOBODY } from './authority.ts'
import { actsUnder, grantsFor, mayEndDeclared, openerKeys } from './opener.ts'
import { UNDECIDED, type TaskDoorRefusal } from './refusal.ts'
import type { TaskRow } from './row.ts'
import type { TaskStore } from './store.ts'

const UNKNOWN = err({ kind: 'task_unknown' } as const)

/** For whoever may open such a task. What acts under it is not told, and sees its own calls. */
export async function readTask(
  id: string,
  caller: TaskCaller,
  store: TaskStore,
): Promise<Result<TaskRow, TaskDoorRefusal>> {
  const reached = await reach(id, caller, store)
  return reached.ok ? ok(reached.value.row) : reached
}

/** Twice is once: the second time tells of the first. */
export async function closeTask(
  id: string,
  caller: TaskCaller,
  store: TaskStore,
): Promise<Result<TaskRow, TaskDoorRefusal>> {
  const reached = await reach(id, caller, store)
  if (!reached.ok) return reached
  const { row, authority } = reached.value
  if (row.closed_at !== null) return ok(row)
  await store.close(caller, row, authority, { id, at: Date.now(), by: nameOf(caller) })
  const after = await store.find(caller.claims.tenant, id)
  if (!after.ok) return after
  // INVARIANT: nobody is told that it is closed unless it is.
  return after.value !== null && after.value.closed_at !== null ? ok(after.value) : err(UNDECIDED)
}

export interface DeclaredEnd {
  readonly id: string
  readonly issuer: string
}

/** Nobody knows whether there is such a task: it is no more from now on. */
export async function endDeclared(
  id: string,
  issuer: string | null,
  caller: TaskCaller,
  store: TaskStore,
): Promise<Result<DeclaredEnd, TaskDoorRefusal>> {
  const { claims, compiled } = caller
  const authority = await store.authority(caller, NOBODY)
  if (!authority.ok) return authority
  if (!mayEndDeclared(authority.value.grants, claims)) return err({ kind: 'not_permitted' })
  const end = { id, issuer: issuer ?? claims.issuer }
  if (!compiled.issuers.has(end.issuer)) return err({ kind: 'actor_unknown', what: 'issuer' })
  const by = nameOf(caller)
  await store.revoke(caller, NOBODY, authority.value, { ...end, at: Date.now(), by })
  const after = await store.isRevoked(claims.tenant, id, end.issuer)
  if (!after.ok) return after
  return after.value ? ok(end) : err(UNDECIDED)
}

async function reach(id: string, caller: TaskCaller, store: TaskStore) {
  const { claims } = caller
  const row = await store.find(claims.tenant, id)
  if (!row.ok) return row
  // Another's task and none are the same answer, and take as long.
  const authority = await store.authority(caller, row.value ?? NOBODY)
  if (!authority.ok) return authority
  if (row.value === null) return UNKNOWN
  return actsUnder(claims, row.value) ||
    grantsFor(authority.value.grants, claims, row.value).length === 0
    ? UNKNOWN
    : ok({ row: row.value, authority: authority.value })
}

/** Who it was, for whoever reads the row. */
const nameOf = ({ claims }: TaskCaller): string =>
  (openerKeys(claims)[0] ?? ['client', claims.client]).join(' ')
