import type { WouldBe } from '../pdp/evaluation.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import type { SequenceRuleRow } from '../pdp/sequence/rule.ts'

/**
 * What the Worker and a session say to each other. Plain data, and versioned, because Worker and
 * objects roll out seconds to minutes apart.
 */
export const SESSION_PROTOCOL = 1

/** Columns of the decision log that are known before the session speaks. */
export interface DecisionColumns {
  readonly tenant: string
  readonly session: string
  readonly issuer: string
  readonly subject: string
  readonly client: string
  readonly agent: string | null
  readonly server: string
  readonly method: string
  readonly tool: string | null
}

export interface SessionStep {
  readonly version: typeof SESSION_PROTOCOL
  /** Idempotency key: the same id twice is the same step, answered alike. */
  readonly decision: string
  readonly columns: DecisionColumns
  /** Client and agent as one text: whose lock-outs these are. */
  readonly actorKey: string
  /** The inputs of the decision as JSON text, stored as they are. */
  readonly inputs: string
  /** The arguments in canonical form, or a digest where that is long: what makes refusals equal. */
  readonly argumentsKey: string
  /** The actor's bound: decisions in a minute. */
  readonly callsPerMinute: number
  /** What rows that only watch would have made of it; absent in what an older Worker sends. */
  readonly wouldBe?: WouldBe | null
}

export interface AdmitRequest extends SessionStep {
  readonly labels: readonly string[]
  /** The server is observed: a rule that would refuse is only written down. */
  readonly observed: boolean
  /** The revision that the facts came with. */
  readonly revision: string
  /** That revision's rules, sent only after `rules_needed`. */
  readonly rules: readonly SequenceRuleRow[] | null
}

export interface DenialNote extends SessionStep {
  readonly refusal: DecisionRefusal
}

/** `decision` is the record to quote: a repeated refusal is counted on the first one's. */
export type AdmitAnswer =
  | { readonly kind: 'admitted'; readonly decision: string; readonly sequence: number }
  | { readonly kind: 'refused'; readonly decision: string; readonly refusal: DecisionRefusal }
  | { readonly kind: 'rules_needed' }

/** The note may come back with another refusal: the actor may have asked too often. */
export type DenialAnswer = Extract<AdmitAnswer, { kind: 'refused' }>

/**
 * committed: the upstream acted, or may have. failed: no byte ever left for it. withheld: it acted
 * and the client did not get to see the result.
 */
export type OutcomeState = 'committed' | 'failed' | 'withheld'

export interface Outcome {
  readonly version: typeof SESSION_PROTOCOL
  readonly tenant: string
  readonly decision: string
  readonly state: OutcomeState
  readonly detail: string
}
