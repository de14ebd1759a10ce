import { canonical } from '../mcp/canonical.ts'
import type { JsonValue } from '../mcp/value.ts'
import { digestOfHandle, newHandle } from '../pep/task-handle.ts'
import { err, ok, type Result } from '../result.ts'
import { sha256 } from '../sha256.ts'
import type { Authority } from './authority.ts'
import type { TaskCaller } from './caller.ts'
import { actsUnder, grantsFor, openerKeys, withinGrant, type TaskActor } from './opener.ts'
import { UNDECIDED, type TaskDoorRefusal } from './refusal.ts'
import { readTaskRequest, type TaskRequest } from './request.ts'
import type { TaskRow } from './row.ts'
import type { TaskStore } from './store.ts'

export interface Opened {
  readonly row: TaskRow
  /** Told to the one request that made it; a repetition is not told. */
  readonly handle: string | null
}

/** A write that was lost is looked for, and made once more. */
const MAX_ATTEMPTS = 2

/**
 * Opens a task, or tells of the one that this very request opened before.
 *
 * INVARIANT: one idempotency key of one opener opens one task, however often and however much at once
 * it is sent; and what is written was allowed by rows that held when it was written.
 */
export async function openTask(
  body: JsonValue,
  key: string,
  caller: TaskCaller,
  store: TaskStore,
): Promise<Result<Opened, TaskDoorRefusal>> {
  const read = readTaskRequest(body)
  if (!read.ok) return read
  const asked = read.value
  const { tenant, issuer } = caller.claims
  const actor: TaskActor = {
    issuer: asked.issuer ?? issuer,
    subject: asked.subject,
    client: asked.client,
    agent: asked.agent,
  }
  const request = { key: await requestKeyOf(caller, key), digest: await sha256(canonical(body)) }
  const handle = newHandle()
  const handleDigest = await digestOfHandle(handle)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    // Each looks at what the one before it left.
    // oxlint-disable-next-line no-await-in-loop
    const authority = await store.authority(caller, actor)
    if (!authority.ok) return authority
    const refusal = refusalOf(asked, actor, caller, authority.value)
    if (refusal !== null) return err(refusal)
    // oxlint-disable-next-line no-await-in-loop
    const before = await found(store, tenant, request, handleDigest, handle)
    if (!before.ok || before.value !== null) return before as Result<Opened, TaskDoorRefusal>
    const row = rowOf(asked, actor, caller, request, handleDigest)
    // oxlint-disable-next-line no-await-in-loop
    await store.insert(caller, actor, authority.value, row)
    // oxlint-disable-next-line no-await-in-loop
    const after = await found(store, tenant, request, handleDigest, handle)
    if (!after.ok || after.value !== null) return after as Result<Opened, TaskDoorRefusal>
  }
  return err(UNDECIDED)
}

interface RequestKey {
  readonly key: string
  readonly digest: string
}

/** Of this opener alone: nobody else's key can be hit upon. */
const requestKeyOf = ({ claims }: TaskCaller, key: string): Promise<string> => {
  const { issuer, subject, client, agent } = claims
  return sha256(JSON.stringify([issuer, subject, client, agent, key]))
}

async function found(
  store: TaskStore,
  tenant: string,
  request: RequestKey,
  handleDigest: string,
  handle: string,
): Promise<Result<Opened | null, TaskDoorRefusal>> {
  const row = await store.opened(tenant, request.key)
  if (!row.ok || row.value === null) return row as Result<null, TaskDoorRefusal>
  if (row.value.request_digest !== request.digest) return err({ kind: 'key_reused' })
  return ok({ row: row.value, handle: row.value.handle_digest === handleDigest ? handle : null })
}

function refusalOf(
  { expiresInSeconds, approve }: TaskRequest,
  actor: TaskActor,
  { claims, compiled }: TaskCaller,
  { grants, clientActive, agentActive }: Authority,
): TaskDoorRefusal | null {
  if (actsUnder(claims, actor)) return { kind: 'opener_acts' }
  const reaching = grantsFor(grants, claims, actor)
  if (reaching.length === 0) return { kind: 'not_permitted' }
  const within = withinGrant(reaching, { lifetimeSeconds: expiresInSeconds, approve })
  if (typeof within === 'string') return { kind: 'beyond_opener', what: within }
  const issuer = compiled.issuers.get(actor.issuer)
  if (issuer?.active !== true || issuer.kind === 'access') {
    return { kind: 'actor_unknown', what: 'issuer' }
  }
  if (clientActive !== true) return { kind: 'actor_unknown', what: 'client' }
  return actor.agent !== null && agentActive !== true
    ? { kind: 'actor_unknown', what: 'agent' }
    : null
}

function rowOf(
  asked: TaskRequest,
  actor: TaskActor,
  { claims }: TaskCaller,
  request: RequestKey,
  handleDigest: string,
) {
  const now = Date.now()
  const [kind, id] = openerKeys(claims)[0] ?? (['client', claims.client] as const)
  return {
    tenant: claims.tenant,
    id: `task_${crypto.randomUUID()}`,
    ...actor,
    purpose: asked.purpose,
    tools: jsonOf(asked.tools),
    access: jsonOf(asked.access),
    data_classes: jsonOf(asked.dataClasses),
    max_calls: asked.maxCalls,
    asked_for: asked.askedFor,
    named_values: JSON.stringify(asked.namedValues),
    opened_by: id,
    opened_by_kind: kind,
    opened_by_issuer: claims.issuer,
    opened_through: claims.client,
    opened_at: now,
    approved_by: asked.approve ? id : null,
    approved_at: asked.approve ? now : null,
    expires_at: now + asked.expiresInSeconds * 1000,
    handle_digest: handleDigest,
    request_key: request.key,
    request_digest: request.digest,
  }
}

const jsonOf = (list: readonly string[] | null): string | null =>
  list === null ? null : JSON.stringify(list)
