// What a credential was made for: enough to ask again, later, whether that still holds.
import type { Actor, Facts, ToolFacts } from '../../pdp/evaluation.ts'
import { isObserved } from '../../pdp/evaluate.ts'
import { declaredTaskId } from '../../pdp/declared-task.ts'
import { ENFORCED_ALWAYS, STANDING } from '../../pdp/gates.ts'
import type { DecisionRefusal } from '../../pdp/refusal.ts'
import { factKeysOf } from '../../question/fact-keys.ts'
import { factsOf } from '../../question/facts.ts'
import { sessionKeyOf } from '../../question/history-keys.ts'
import type { Credential, Question } from '../../question/question.ts'
import { requestOf } from '../../question/request.ts'
import type { CompiledTenant } from '../../storage/compiled.ts'
import type { FactKeys } from '../../storage/facts.ts'
import type { PolicyStore } from '../../storage/policy-store.ts'

/** Plain data. It holds no credential, only the names of what it was made from. */
export interface CallContext {
  readonly version: typeof CONTEXT_VERSION
  readonly actor: Actor
  /** Every key of the token by which it could be revoked. */
  readonly credential: Credential
  readonly server: string
  readonly method: Question['method']
  readonly tool: string | null
  /** Of this call: what its arguments made of the tool's class. */
  readonly access: ToolFacts['access'] | null
  readonly task: BoundTask | null
}

export const CONTEXT_VERSION = 1

export interface BoundTask {
  readonly id: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/** By the token itself: it has no row, and only a revocation ends it early. */
export const isDeclared = ({ id }: Pick<BoundTask, 'id'>): boolean =>
  id.startsWith(declaredTaskId(''))

export const contextOf = (
  { actor, credential, server, method, tool }: Question,
  access: CallContext['access'],
  task: BoundTask | null,
): CallContext => ({
  version: CONTEXT_VERSION,
  actor,
  credential: namesIn(credential),
  server,
  method,
  tool,
  access,
  task,
})

/** One by one: claims have more members than that. Bounds were asked once, and are long. */
const namesIn = (credential: Credential): Credential => ({
  tokenId: credential.tokenId,
  issuedAt: credential.issuedAt,
  sessionId: credential.sessionId,
  keyId: credential.keyId,
  bindings: credential.bindings,
  agentDocument: credential.agentDocument,
  transaction: credential.transaction,
  acr: credential.acr,
  authTime: credential.authTime,
  senderConstrained: credential.senderConstrained,
  scopes: [],
  authorizationDetails: null,
  actorChain: [],
})

/** Whether it still holds. `unknown`: D1 does not say. */
export type Standing =
  /** With the rows that say so: they are current. `until`: as far as a clock can say it, epoch ms. */
  | { readonly kind: 'holds'; readonly compiled: CompiledTenant; readonly until: number }
  | { readonly kind: 'ended'; readonly cause: EndCause }
  | { readonly kind: 'unknown' }

/** A reason of door two, of a revocation its kind, or what has a name only here. */
export type EndCause =
  | DecisionRefusal['reason']
  | `revoked:${string}`
  | 'server_gone'
  | 'issuer_inactive'
  | 'task_ended'
  | 'expired'
  /** The subject has more tokens than are kept. */
  | 'too_many'
  /** Kept by another age of this code, which wrote down other things. */
  | 'outdated'
  /** The key that it was kept with is not among ours any more. */
  | 'unsealable'

const UNKNOWN: Standing = { kind: 'unknown' }
const ended = (cause: EndCause): Standing => ({ kind: 'ended', cause })

/**
 * By one reading that begins now: revocations of every key of the original token, the tenant, the
 * server, the client, the agent, the tool, the consent and the task.
 */
export async function standingOf(context: CallContext, policies: PolicyStore): Promise<Standing> {
  const { actor, server: name, task } = context
  const known = await policies.lastKnown(name)
  if (!known.ok) return UNKNOWN
  if (known.value === null) return ended('server_gone')
  // A name that went to another tenant is another server.
  if (known.value.tenant !== actor.tenant) return ended('server_gone')
  const question = await questionAgain(context)
  const gathered = await policies.gather((rows) => keysOf(question, task, rows), known.value)
  if (!gathered.ok) return UNKNOWN
  const { facts: fresh, compiled, readAt } = gathered.value
  const server = compiled.servers.get(name)
  if (server === undefined) return ended('server_gone')
  if (compiled.issuers.get(actor.issuer)?.active !== true) return ended('issuer_inactive')
  const found = context.tool === null ? null : server.tools.find(context.tool, null)
  const tool =
    found === null || context.access === null ? found : { ...found, access: context.access }
  const nothing = { kind: 'named', resources: [] } as const
  const facts = factsOf(fresh, server, tool, nothing, actor, compiled.issuers)
  const request = requestOf(question, readAt)
  const observed = isObserved(facts, readAt)
  for (const gate of STANDING) {
    const refusal = gate(actor, request, facts)
    if (refusal !== null && (!observed || ENFORCED_ALWAYS.has(refusal.reason))) {
      return ended(refusal.reason === 'revoked' ? `revoked:${refusal.kind}` : refusal.reason)
    }
  }
  const holding: Standing = { kind: 'holds', compiled, until: lapseOf(facts, task, readAt) }
  if (task === null) return holding
  if (task.expiresAt <= readAt) return ended('task_ended')
  const open = facts.tasks.find(({ id }) => id === task.id)
  const holds =
    open !== undefined &&
    open.closedAt === null &&
    open.revokedAt === null &&
    open.expiresAt > readAt
  return isDeclared(task) || holds ? holding : ended('task_ended')
}

/** When something that it rests on ends by itself. How long a stream stays silent no row says. */
function lapseOf({ consents, server }: Facts, task: BoundTask | null, readAt: number): number {
  const ends = [
    task?.expiresAt ?? null,
    // From then on its refusals count.
    server.observeUntil,
    ...consents.map(({ expiresAt }) => expiresAt),
  ]
  return Math.min(...(ends.filter((at) => at !== null && at > readAt) as number[]))
}

async function questionAgain(context: CallContext): Promise<Question> {
  const { actor, server, method, tool, task } = context
  return {
    actor,
    session: await sessionKeyOf(actor),
    credential: context.credential,
    server,
    method,
    tool,
    arguments: null,
    listing: false,
    network: { ip: null, country: null, asn: null },
    // The task that the call belonged to, or none, and not any that is open by now.
    underTask: task?.id ?? null,
  }
}

/** A task is revoked by its id, also where it has no row. */
function keysOf(question: Question, task: BoundTask | null, rows: CompiledTenant): FactKeys {
  const keys = factKeysOf(question, [], rows)
  return task === null ? keys : { ...keys, revocable: [...keys.revocable, ['task', task.id]] }
}
