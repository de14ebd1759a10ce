import type { DecisionRefusal } from '../pdp/refusal.ts'
import type { RuleHit } from '../pdp/sequence/advance.ts'
import type { Moment } from '../pdp/sequence/facts.ts'
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
  const decision = refusal === null ? 'allow' : 'deny'
  const own = JSON.stringify({
    version: 1,
    id: step.decision,
    decision,
    refusal,
    session: { id: step.columns.session, ...moment, rules },
  })
  return {
    ...step.columns,
    id: step.decision,
    sequence: moment.sequence,
    decided_at: moment.at,
    decision,
    reason: refusal?.reason ?? 'allowed',
    record: `${own.slice(0, -1)},"inputs":${step.inputs}}`,
  }
}
