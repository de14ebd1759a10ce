// Pure. Door two up to the sequence rules: its gates in their order, then the policies. The same
// function serves the Worker, the AuthZEN doors, the commands and the replay of recorded decisions.
import type {
  Actor,
  Evaluation,
  EvaluationRequest,
  Facts,
  PolicyMatch,
  ServerFacts,
} from './evaluation.ts'
import { border, ENFORCED_ALWAYS, GATES } from './gates.ts'
import { judgePolicies } from './policies.ts'
import type { PolicySet } from './policy.ts'
import { narrowedBySignals } from './signals.ts'
import type { DecisionRefusal } from './refusal.ts'

/** Default deny: the only way to `refusal: null` leads through every gate, or an observed server. */
export function evaluate(asked: EvaluationRequest, policies: PolicySet, facts: Facts): Evaluation {
  const request = narrowedBySignals(asked, facts)
  const actor = actorOf(request)
  const observed = isObserved(facts, request.context.now)
  let first: DecisionRefusal | null = null
  for (const gate of GATES) {
    const refusal = gate(actor, request, facts)
    if (refusal === null) continue
    if (!observed || ENFORCED_ALWAYS.has(refusal.reason)) return refused(refusal)
    first ??= refusal
  }
  // Protocol steps and listings touch nothing that a policy could speak of. What a listing shows is
  // asked tool by tool, with this same function.
  if (request.resource.type === 'mcp_server' || facts.tool === null) return passed(first, [])
  const judged = judgePolicies(actor, request, policies, facts)
  const foreign = border(facts)
  if (foreign !== null && (observed || judged.refusal === null)) {
    return { ...judged, refusal: foreign, wouldBe: null }
  }
  if (observed) return passed(first ?? judged.refusal, judged.matches)
  const wouldPass = judged.wouldBe !== null && judged.wouldBe.refusal === null
  return foreign !== null && wouldPass
    ? { ...judged, wouldBe: { by: 'shadow', refusal: foreign } }
    : judged
}

/** How far ahead `observe_until` may lie: what lies further was not written by our rules. */
const LONGEST_OBSERVATION_MS = 14 * 86_400_000

/** Compared with the clock at each decision: after the date the server enforces by itself. */
export const isObserved = (
  { server }: { readonly server: Pick<ServerFacts, 'observeUntil'> },
  now: number,
): boolean =>
  server.observeUntil !== null &&
  server.observeUntil > now &&
  server.observeUntil - now <= LONGEST_OBSERVATION_MS

const refused = (refusal: DecisionRefusal): Evaluation => ({
  refusal,
  matches: [],
  wouldBe: null,
})

const passed = (first: DecisionRefusal | null, matches: readonly PolicyMatch[]): Evaluation => ({
  refusal: null,
  matches,
  wouldBe: first === null ? null : { by: 'observe', refusal: first },
})

export function actorOf(request: EvaluationRequest): Actor {
  const { id, properties } = request.subject
  return {
    tenant: properties.tenant,
    issuer: properties.issuer,
    subject: id,
    client: properties.client,
    agent: properties.agent,
  }
}
