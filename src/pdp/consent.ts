// Pure. Whether a person let this client do this, and if not, what is wrong with what they said.
import type { ConsentFact, ToolFacts } from './evaluation.ts'
import type { ConsentState } from './refusal.ts'

/** The states of consents that cover a tool; the best of them counts. */
const FROM_BEST: readonly (ConsentState | 'given')[] = ['given', 'outdated', 'expired', 'withdrawn']

export function consentState(
  tool: ToolFacts,
  consents: readonly ConsentFact[],
  now: number,
): ConsentState | 'given' {
  const states = new Set(
    consents
      .filter((consent) => covers(consent, tool))
      .map((consent) => stateOf(consent, tool, now)),
  )
  return FROM_BEST.find((state) => states.has(state)) ?? 'missing'
}

/** Of one tool, of one class of access, or of one tool in one class. */
function covers(consent: ConsentFact, tool: ToolFacts): boolean {
  const classes = tool.depends?.access ?? [tool.access]
  return (
    (consent.tool === null || consent.tool === tool.name) &&
    (consent.access === null || classes.includes(consent.access)) &&
    (consent.tool !== null || consent.access !== null)
  )
}

function stateOf(consent: ConsentFact, tool: ToolFacts, now: number): ConsentState | 'given' {
  if (consent.revokedAt !== null) return 'withdrawn'
  if (consent.expiresAt !== null && consent.expiresAt <= now) return 'expired'
  const agreedTo = consent.definitionHash
  return agreedTo === null || agreedTo === tool.pin?.hash ? 'given' : 'outdated'
}
