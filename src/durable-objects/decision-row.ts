import type { DecisionRefusal } from '../pdp/refusal.ts'
import type { RuleHit } from '../pdp/sequence/advance.ts'
import type { Moment } from '../pdp/sequence/step.ts'
import type { DecisionRow } from './outbox.ts'
import type { SessionStep } from './session-protocol.ts'

/**
 * The record of one decision (docs/records.md): the Worker's inputs, kept as the text they came as,
 * and what the session added: order, time, rules.
 */
export function decisionRow(
  step: SessionStep,
  moment: Moment,
  refusal: DecisionRefusal | null,
  rules: readonly RuleHit[],
): DecisionRow {
  const decision =
    refusal === null ? 'allow' : refusal.reason === 'approval_required' ? 'approve' : 'deny'
  const own = JSON.stringify({
    version: 1,
    id: step.decision,
    decision,
    refusal,
    wouldBe: step.wouldBe ?? null,
    session: { id: step.columns.session, ...moment, rules },
  })
  return {
    ...step.columns,
    id: step.decision,
    sequence: moment.sequence,
    decided_at: moment.at,
    decision,
    reason: refusal?.reason ?? 'allowed',
    would_be: wouldBeReason(step, refusal),
    record: `${own.slice(0, -1)},"inputs":${step.inputs}}`,
  }
}

/**
 * What rows that only watch would have led to; where they would have let it through, the rules over
 * history still had their word. null: nothing of the kind took part.
 */
const wouldBeReason = ({ wouldBe }: SessionStep, refusal: DecisionRefusal | null): string | null =>
  // A Worker of an earlier version says nothing of it.
  wouldBe === null || wouldBe === undefined
    ? null
    : (wouldBe.refusal?.reason ??
      (refusal !== null && !POLICIES_SAID_NO.has(refusal.reason) ? refusal.reason : 'allowed'))

const POLICIES_SAID_NO: ReadonlySet<DecisionRefusal['reason']> = new Set([
  'denied_by_policy',
  'not_allowed',
  'insufficient_authentication',
  'binding_required',
  'approval_required',
])
