// Pure. A row of `sequence_rules` becomes a rule, and RULE_TYPES is where a new type of rule goes.
import { err, ok, type Result } from '../../result.ts'
import { eventCount } from './event-count.ts'
import type { FactView, Moment, Scope } from './facts.ts'
import { temporal } from './temporal.ts'

export type RuleType = 'temporal' | 'event_count'

/** A row of `sequence_rules` (migrations/0004_create_policies.sql); JSON columns are still text. */
export interface SequenceRuleRow {
  readonly id: string
  readonly effect: 'deny' | 'audit'
  readonly onLabel: string
  readonly type: RuleType
  readonly rules: string
  readonly scope: Scope
  readonly timespanSeconds: number | null
  readonly untilLabel: string | null
  readonly condition: string | null
  readonly reason: string
}

/** The call that asks to be admitted, as its history sees it. */
export interface Step {
  /** Who acts within the session: client and agent, as one text. */
  readonly actorKey: string
  readonly labels: readonly string[]
  readonly now: Moment
}

/** One type of rule: reads its columns once, then answers for each step. */
export interface RuleDefinition {
  parse(columns: RuleColumns): Result<Correlation, string>
}

export interface RuleColumns {
  readonly labels: readonly string[]
  readonly timespanSeconds: number | null
  readonly untilLabel: string | null
  readonly condition: CountCondition | null
}

export type Correlation = (history: History, step: Step) => boolean

/** The facts of the rule's own scope. */
export interface History {
  get(label: string): ReturnType<FactView['get']>
}

export const RULE_TYPES: { readonly [type in RuleType]: RuleDefinition } = {
  temporal,
  event_count: eventCount,
}

export interface SequenceRule {
  readonly row: SequenceRuleRow
  /** Why the row could not be read, or null. Such a rule holds for every call on its label. */
  readonly problem: string | null
  /** Its `until_label` and what that clears; empty where it has none. */
  readonly clearing: readonly string[]
  holds(facts: FactView, step: Step): boolean
}

export function compileRule(row: SequenceRuleRow): SequenceRule {
  const parsed = parseColumns(row)
  const correlation = parsed.ok ? RULE_TYPES[row.type].parse(parsed.value) : parsed
  if (!parsed.ok || !correlation.ok) {
    const problem = correlation.ok ? '' : correlation.error
    return { row, problem, clearing: [], holds: () => true }
  }
  const { untilLabel, labels } = parsed.value
  return {
    row,
    problem: null,
    clearing: untilLabel === null ? [] : [untilLabel, ...labels],
    holds: (facts, step) => {
      const key = row.scope === 'actor' ? step.actorKey : ''
      return correlation.value(
        { get: (label) => facts.get({ scope: row.scope, key, label }) },
        step,
      )
    },
  }
}

const COMPARISONS = {
  gt: (count: number, bound: number) => count > bound,
  gte: (count: number, bound: number) => count >= bound,
  lt: (count: number, bound: number) => count < bound,
  lte: (count: number, bound: number) => count <= bound,
} as const
type Comparison = keyof typeof COMPARISONS

export interface CountCondition {
  readonly highestBound: number
  holds(count: number): boolean
}

function parseColumns(row: SequenceRuleRow): Result<RuleColumns, string> {
  const labels = parseJson(row.rules)
  if (!Array.isArray(labels) || labels.length === 0 || !labels.every(isLabel)) {
    return err('`rules` must be a list of labels')
  }
  const condition = row.condition === null ? ok(null) : parseCondition(row.condition)
  if (!condition.ok) return condition
  return ok({
    labels,
    timespanSeconds: row.timespanSeconds,
    untilLabel: row.untilLabel,
    condition: condition.value,
  })
}

function parseCondition(text: string): Result<CountCondition, string> {
  const parsed = parseJson(text)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return err('`condition` must be an object such as `{"gt": 10}`')
  }
  const terms: { readonly name: Comparison; readonly bound: number }[] = []
  for (const [name, bound] of Object.entries(parsed)) {
    if (!isComparison(name)) return err(`\`condition\` has no comparison \`${name}\``)
    if (typeof bound !== 'number' || !Number.isFinite(bound)) {
      return err(`\`${name}\` needs a number`)
    }
    terms.push({ name, bound })
  }
  if (terms.length === 0) return err('`condition` is empty')
  return ok({
    highestBound: Math.max(...terms.map((term) => term.bound)),
    holds: (count) => terms.every(({ name, bound }) => COMPARISONS[name](count, bound)),
  })
}

const isComparison = (name: string): name is Comparison => Object.hasOwn(COMPARISONS, name)

const isLabel = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$/.test(value)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
