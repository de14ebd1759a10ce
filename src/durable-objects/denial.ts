import type { DecisionRefusal } from '../pdp/refusal.ts'

/**
 * Refusals that are remembered as no denial. Nothing is kept of a client or agent that is not
 * registered: it is refused whatever it does, and names that a caller makes up must not pile up. And to
 * need an approval is no denial.
 */
export const NO_DENIAL_FACT: ReadonlySet<DecisionRefusal['reason']> = new Set([
  'client_unknown',
  'agent_unknown',
  'approval_required',
])
