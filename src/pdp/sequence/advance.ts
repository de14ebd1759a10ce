// Pure. One step of a session: which rules hold, and what it remembers afterwards. The Durable
// Object keeps the facts and gives the order; replay is a fold of this function over the log.
import {
  DENIED,
  end,
  forget,
  remember,
  SCOPES,
  type FactKey,
  type FactView,
  type LabelFact,
} from './facts.ts'
import { compileRule, type SequenceRule, type SequenceRuleRow, type Step } from './rule.ts'

/** The rules of one revision, filed by the label that triggers them. */
export interface RuleSet {
  readonly revision: string
  triggeredBy(labels: readonly string[]): SequenceRule[]
  /** Labels that clear, and labels that are cleared: of these it counts when a call has ended. */
  readonly clearing: ReadonlySet<string>
  problems(): { readonly id: string; readonly problem: string }[]
}

export function compileRules(revision: string, rows: readonly SequenceRuleRow[]): RuleSet {
  const rules = rows.map(compileRule)
  const byLabel = Map.groupBy(rules, (rule) => rule.row.onLabel)
  const always = byLabel.get('any') ?? []
  return {
    revision,
    clearing: new Set(rules.flatMap((rule) => rule.clearing)),
    triggeredBy: (labels) => [...always, ...labels.flatMap((label) => byLabel.get(label) ?? [])],
    problems: () =>
      rules.flatMap(({ row, problem }) => (problem === null ? [] : [{ id: row.id, problem }])),
  }
}

/** A rule that held, as the record keeps it. */
export interface RuleHit {
  readonly rule: string
  readonly effect: 'deny' | 'audit'
  readonly reason: string
  readonly problem: string | null
}

export interface FactChange {
  readonly key: FactKey
  readonly fact: LabelFact
}

/** Every rule that holds, denials first, then by id: the same whatever the order of the rows. */
export function judge(rules: RuleSet, facts: FactView, step: Step): RuleHit[] {
  return rules
    .triggeredBy(step.labels)
    .filter((rule) => rule.holds(facts, step))
    .map(({ row, problem }) => ({
      rule: row.id,
      effect: row.effect,
      reason: row.reason,
      problem,
    }))
    .toSorted((a, b) =>
      a.effect === b.effect ? (a.rule < b.rule ? -1 : 1) : a.effect === 'deny' ? -1 : 1,
    )
}

/** What a granted step leaves: its labels, in every scope. It counts from admission. */
export const afterGrant = (facts: FactView, step: Step): FactChange[] =>
  changes(facts, step, step.labels)

/** What a denied step leaves: that there was a denial, and nothing of what was denied. */
export const afterDenial = (facts: FactView, step: Step): FactChange[] =>
  changes(facts, step, [DENIED])

/** A granted step of which something became known later. */
export interface PastStep {
  readonly actorKey: string
  readonly labels: readonly string[]
  readonly sequence: number
  readonly at: number
}

/** What is forgotten when it turns out that no byte of a step ever left. */
export const takenBack = (facts: FactView, step: PastStep): FactChange[] =>
  revised(facts, step, (fact, label) => forget(fact, label, step.sequence))

/** What is known better once a step has ended, and whether it happened. */
export const ended = (
  facts: FactView,
  step: PastStep,
  latestSequence: number,
  happened: boolean,
): FactChange[] =>
  revised(facts, step, (fact) =>
    end(fact, { sequence: step.sequence, at: step.at }, latestSequence, happened),
  )

function revised(
  facts: FactView,
  { actorKey, labels }: PastStep,
  revise: (fact: LabelFact, label: string) => LabelFact,
): FactChange[] {
  return labels.flatMap((label) =>
    SCOPES.flatMap((scope) => {
      const key: FactKey = { scope, key: scope === 'actor' ? actorKey : '', label }
      const fact = facts.get(key)
      return fact === undefined ? [] : [{ key, fact: revise(fact, label) }]
    }),
  )
}

function changes(facts: FactView, step: Step, labels: readonly string[]): FactChange[] {
  return labels.flatMap((label) =>
    SCOPES.map((scope) => {
      const key: FactKey = { scope, key: scope === 'actor' ? step.actorKey : '', label }
      return { key, fact: remember(facts.get(key), step.now) }
    }),
  )
}
