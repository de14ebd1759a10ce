import type { RateBound } from '../durable-objects/rate-bound.ts'
import { declaredTaskId } from '../pdp/declared-task.ts'
import type { Actor } from '../pdp/evaluation.ts'
import type { Doors } from '../pep/doors.ts'
import { isIdentifier } from '../authentication/text.ts'
import { err, ok, type Result } from '../result.ts'
import { identifyOpener, type TaskCaller } from './caller.ts'
import { closeTask, endDeclared, readTask, type DeclaredEnd } from './end.ts'
import { openTask } from './open.ts'
import { receiveBody, receiveCaller, idempotencyKeyOf } from './receive.ts'
import { refusedWith, type TaskDoorRefusal } from './refusal.ts'
import { METHOD_NOT_ALLOWED, refusalResponse } from './refuse.ts'
import { taskAnswer } from './row.ts'
import type { TaskStore } from './store.ts'

export interface TaskDoors {
  readonly doors: Doors
  readonly store: TaskStore
  /** How much each caller may ask in a minute, of this isolate. */
  readonly rates: RateBound
  /** For the background: what servers were given under it is taken back now. */
  readonly ended: (subject: Pick<Actor, 'tenant' | 'issuer' | 'subject'>) => void
  /** The same of one that only tokens declare. */
  readonly endedDeclared: (tenant: string, end: DeclaredEnd) => void
}

/** `POST /tasks`: opens one. */
export async function tasksResponse(request: Request, at: TaskDoors): Promise<Response> {
  if (request.method !== 'POST') return METHOD_NOT_ALLOWED('POST')
  return answering(request, at, async (caller) => {
    const key = idempotencyKeyOf(request)
    if (key === null) return refused(NO_KEY, at)
    const body = await receiveBody(request)
    if (!body.ok) return refused(refusedWith(body.error), at)
    const opened = await openTask(body.value, key, caller, at.store)
    if (!opened.ok) return refused(opened.error, at)
    const { row, handle } = opened.value
    const status = handle === null ? 200 : 201
    return json(taskAnswer(row, handle), status, { location: `/tasks/${row.id}` })
  })
}

/** `GET` and `DELETE /tasks/{id}`. */
export async function taskResponse(request: Request, id: string, at: TaskDoors): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'DELETE') {
    return METHOD_NOT_ALLOWED('GET, DELETE')
  }
  return answering(request, at, async (caller) => {
    // A name in a token is as long as any other, and `txn:` comes before it.
    const isDeclared = id.startsWith(DECLARED)
    if (!isIdentifier(isDeclared ? id.slice(DECLARED.length) : id)) {
      return refused({ kind: 'task_unknown' }, at)
    }
    if (request.method === 'DELETE' && isDeclared) {
      const issuer = issuerNamed(request)
      if (!issuer.ok) return refused(issuer.error, at)
      const ended = await endDeclared(id, issuer.value, caller, at.store)
      if (!ended.ok) return refused(ended.error, at)
      at.endedDeclared(caller.claims.tenant, ended.value)
      return json({ ...ended.value, ended: true }, 200)
    }
    if (request.method === 'GET') {
      const row = await readTask(id, caller, at.store)
      return row.ok ? json(taskAnswer(row.value), 200) : refused(row.error, at)
    }
    const closed = await closeTask(id, caller, at.store)
    if (!closed.ok) return refused(closed.error, at)
    at.ended({ ...closed.value, tenant: caller.claims.tenant })
    return json(taskAnswer(closed.value), 200)
  })
}

const DECLARED = declaredTaskId('')

/** null: the caller's own. A member that is misspelt would end another issuer's task. */
function issuerNamed(request: Request): Result<string | null, TaskDoorRefusal> {
  const named = [...new URL(request.url).searchParams]
  const [issuer, ...others] = named
  return others.length > 0 || (issuer !== undefined && issuer[0] !== 'issuer')
    ? err({ kind: 'malformed', detail: 'the query has one member at most, `issuer`' })
    : ok(issuer?.[1] ?? null)
}

const NO_KEY: TaskDoorRefusal = {
  kind: 'malformed',
  detail: 'send an `Idempotency-Key` of 1 to 255 visible characters',
}

async function answering(
  request: Request,
  at: TaskDoors,
  answer: (caller: TaskCaller) => Promise<Response>,
): Promise<Response> {
  const shown = receiveCaller(request, at.doors.config)
  if (!shown.ok) return refused(refusedWith(shown.error), at)
  const caller = await identifyOpener(shown.value, at.doors, at.rates)
  return caller.ok ? answer(caller.value) : refused(refusedWith(caller.error), at)
}

/** Refusals here are in no subject's history: they are counted. */
function refused(refusal: TaskDoorRefusal, { doors: { unrecorded } }: TaskDoors): Response {
  const reason = refusal.kind === 'refused' ? refusal.refusal.reason : refusal.kind
  unrecorded.set(reason, (unrecorded.get(reason) ?? 0) + 1)
  return refusalResponse(refusal)
}

const json = (body: unknown, status: number, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headers } })
