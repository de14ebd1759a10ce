import type { DecisionRefusal } from '../pdp/refusal.ts'
import type { RuleHit } from '../pdp/sequence/advance.ts'

/**
 * Refusals that are remembered as no denial. Nothing is kept of a client or agent that is not
 * registered: it is refused whatever it does, and names that a caller makes up must not pile up. And to
 * need an approval is no denial.
 */
export const NO_DENIAL_FACT: ReadonlySet<DecisionRefusal['reason']> = new Set([
  'client_unknown',
  'agent_unknown',
  'approval_required',
  // What a client forgot or a server restarted says nothing of what anybody tried to do.
  'session_unknown',
  'session_missing',
  'event_unknown',
  'response_unasked',
])

/** The strongest that holds decides; hits come in that order. */
export function refusalBy(hits: readonly RuleHit[]): DecisionRefusal | null {
  const [first] = hits
  if (first === undefined || first.effect === 'audit') return null
  if (first.effect === 'deny') {
    return {
      at: 'decide',
      reason: 'denied_by_sequence',
      rule: first.rule,
      ruleReason: first.reason,
    }
  }
  const rules = hits.filter(({ effect }) => effect === 'approve').map(({ rule }) => rule)
  return { at: 'decide', reason: 'approval_required', policies: [], rules }
}
