import type { Claims } from '../authentication/claims.ts'
import type { Overrun, RateBound } from '../durable-objects/rate-bound.ts'
import { STANDING } from '../pdp/gates.ts'
import { loginGate } from '../pdp/signals.ts'
import type { Doors } from '../pep/doors.ts'
import { identifyBy, unavailable } from '../pep/identify.ts'
import type { Refusal } from '../pep/refusal.ts'
import { identifyToken, useProofs, type ShownToken } from '../pep/whose-token.ts'
import { factKeysOf } from '../question/fact-keys.ts'
import { factsOf } from '../question/facts.ts'
import { sessionKeyOf } from '../question/history-keys.ts'
import { actorOf, NO_TOKEN, type Question } from '../question/question.ts'
import { requestOf } from '../question/request.ts'
import { err, ok, type Result } from '../result.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import type { FactKeys } from '../storage/facts.ts'

/** Whoever asks at `/tasks`, by a token that holds. What they may do is in `task_openers`. */
export interface TaskCaller {
  readonly claims: Claims
  /** Confirmed after the request arrived. */
  readonly compiled: CompiledTenant
  /** Everything of the caller's own that could be taken back. */
  readonly revocable: FactKeys['revocable']
  /** Once more: for what was read since, which a change in between would not be part of. */
  readonly stillHolds: () => Promise<Result<unknown, Refusal>>
}

/**
 * Door one, and of door two what concerns the caller itself: nothing of its own is revoked or
 * switched off. A person's word is taken from nobody who may not act for people.
 */
export async function identifyOpener(
  shown: ShownToken,
  doors: Doors,
  rates: RateBound,
): Promise<Result<TaskCaller, Refusal>> {
  const identified = await identifyToken(shown, doors)
  if (!identified.ok) return identified
  const { claims, compiled: known, presented } = identified.value
  const question = await questionBy(claims, presented.server)
  const holding = await holds(question, known, doors)
  if (!holding.ok) return holding
  const { compiled, callsPerMinute } = holding.value
  const overrun = rates.take(JSON.stringify(question.actor), callsPerMinute, '', Date.now())
  if (overrun !== null) return err(tooMany(overrun))
  if (compiled !== known) {
    const again = await identifyBy(compiled, presented, doors)
    if (!again.ok) return again
    if (JSON.stringify(again.value.claims) !== JSON.stringify(claims)) return MOVED
  }
  const proven = await useProofs(claims, doors)
  if (!proven.ok) return proven
  return ok({
    claims,
    compiled,
    revocable: keysOf(question, compiled).revocable,
    stillHolds: () => holds(question, compiled, doors),
  })
}

const tooMany = ({ retryAfterSeconds }: Overrun): Refusal => ({
  at: 'decide',
  reason: 'rate_limited',
  retryAfterSeconds,
})

interface Holding {
  /** The rows by which it does. */
  readonly compiled: CompiledTenant
  readonly callsPerMinute: number
}

async function holds(
  question: Question,
  known: CompiledTenant,
  doors: Doors,
): Promise<Result<Holding, Refusal>> {
  const keys = keysOf(question, known)
  const gathered = await doors.policies.gather(() => keys, known)
  if (!gathered.ok) return err(unavailable(gathered.error))
  const { compiled, facts: fresh, readAt } = gathered.value
  const server = compiled.servers.get(question.server)
  if (server === undefined) return MOVED
  const { actor } = question
  const facts = factsOf(fresh, server, null, NOTHING_NAMED, actor, compiled.issuers)
  const own = { ...facts, tasks: [], server: { ...facts.server, active: true } }
  const request = requestOf(question, readAt)
  for (const gate of [...STANDING, loginGate]) {
    const refusal = gate(actor, request, own)
    if (refusal !== null) return err(refusal)
  }
  return ok({ compiled, callsPerMinute: fresh.callsPerMinute })
}

/** The server only lends its tenant's rows: nothing is asked of it. */
function keysOf(question: Question, known: CompiledTenant): FactKeys {
  const keys = factKeysOf(question, [], known)
  return { ...keys, revocable: keys.revocable.filter(([kind]) => kind !== 'server') }
}

/** Rows that move while they are read are read again by whoever asks again. */
const MOVED = err({ at: 'decide', reason: 'facts_unavailable' } as const)

const NOTHING_NAMED = { kind: 'named', resources: [] } as const

/** As if they asked something that touches nothing. The task of an opener is nobody's business. */
async function questionBy(claims: Claims, server: string): Promise<Question> {
  const actor = actorOf(claims)
  return {
    actor,
    session: await sessionKeyOf(actor),
    credential: { ...NO_TOKEN, ...claims, transaction: null, authorizationDetails: null },
    server,
    method: 'ping',
    tool: null,
    arguments: null,
    listing: false,
    network: { ip: null, country: null, asn: null },
  }
}
