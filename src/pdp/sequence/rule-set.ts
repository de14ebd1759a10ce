// Pure. The rules of one revision, filed by the label that triggers them, and what must be kept of
// each label for their sake.
import type { Grouping } from './groups.ts'
import type { Scope } from './memory.ts'
import { compileRule, type SequenceRule, type SequenceRuleRow, type Tally } from './rule.ts'
import type { Step } from './step.ts'
import { RESULT_ROWS } from './value-sum.ts'

export interface RuleSet {
  readonly revision: string
  /** Every rule that is asked of a call with these labels, whatever else its columns ask for. */
  triggeredBy(labels: readonly string[]): SequenceRule[]
  /** The same, of those that concern this very call. */
  asked(step: Pick<Step, 'access' | 'labels' | 'values' | 'taskKey'>): SequenceRule[]
  /** Labels of which it counts when a call has ended, and whether it happened. */
  readonly clearing: ReadonlySet<string>
  /** What is kept of a label besides its fact for the subject and for the actor. */
  keptOf(label: string): KeptOfLabel
  /** What rules read of results and arguments; without it nothing need be read for their sake. */
  readonly reads: {
    /** The number of rows, of calls that carry one of these labels. */
    readonly rowsOf: ReadonlySet<string>
    readonly origins: boolean
    /** Roles and resource types that some rule reads. */
    readonly fields: ReadonlySet<string>
  }
  problems(): { readonly id: string; readonly problem: string }[]
}

export interface KeptOfLabel {
  readonly facts: readonly { readonly scope: Scope; readonly grouping: Grouping }[]
  readonly tallies: readonly KeptTally[]
}

export interface KeptTally extends Omit<Tally, 'timespanSeconds' | 'label'> {
  readonly scope: Scope
  readonly grouping: Grouping
  /** How long what was added counts, in ms. */
  readonly horizon: number
}

const NOTHING: KeptOfLabel = { facts: [], tallies: [] }

export function compileRules(revision: string, rows: readonly SequenceRuleRow[]): RuleSet {
  const rules = rows.map(compileRule)
  const byLabel = Map.groupBy(rules, (rule) => rule.row.onLabel)
  const always = byLabel.get('any') ?? []
  const kept = keptFor(rules)
  const triggeredBy = (labels: readonly string[]): SequenceRule[] => {
    const triggered = [...always]
    for (const [at, label] of labels.entries()) {
      if (label === 'any' || labels.indexOf(label) < at) continue
      for (const rule of byLabel.get(label) ?? []) triggered.push(rule)
    }
    return triggered
  }
  return {
    revision,
    triggeredBy,
    asked: (step) => triggeredBy(step.labels).filter((rule) => rule.concerns(step)),
    clearing: new Set(rules.flatMap(({ correlation }) => correlation.endings ?? [])),
    keptOf: (label) => kept.get(label) ?? NOTHING,
    reads: readsOf(rules),
    problems: () =>
      rules.flatMap(({ row, problem }) => (problem === null ? [] : [{ id: row.id, problem }])),
  }
}

/** Facts of the subject and of the actor are kept of every label; these are the others. */
function keptFor(rules: readonly SequenceRule[]): Map<string, KeptOfLabel> {
  const facts = new Map<string, Map<string, KeptOfLabel['facts'][number]>>()
  const tallies = new Map<string, Map<string, KeptTally>>()
  for (const { row, groupings, correlation } of rules) {
    const { scope } = row
    const { restricting = [], permitting = [], tallies: wanted = [] } = correlation
    const keep = (labels: readonly string[], grouping: Grouping): void => {
      if (scope !== 'task' && grouping.spec === '') return
      for (const label of labels)
        put(facts, label, `${scope} ${grouping.spec}`, { scope, grouping })
    }
    keep(restricting, groupings.restricting)
    keep(permitting, groupings.permitting)
    const grouping = groupings.restricting
    for (const { label, field, width, timespanSeconds } of wanted) {
      const name = JSON.stringify([scope, grouping.spec, field, width])
      const before = tallies.get(label)?.get(name)?.horizon ?? 0
      const horizon = Math.max(before, timespanSeconds * 1000)
      put(tallies, label, name, { scope, grouping, field, width, horizon })
    }
  }
  return new Map(
    [...facts.keys(), ...tallies.keys()].map((label) => [
      label,
      {
        facts: [...(facts.get(label)?.values() ?? [])],
        tallies: [...(tallies.get(label)?.values() ?? [])],
      },
    ]),
  )
}

function put<T>(all: Map<string, Map<string, T>>, label: string, name: string, one: T): void {
  const those = all.get(label) ?? new Map<string, T>()
  all.set(label, those.set(name, one))
}

function readsOf(rules: readonly SequenceRule[]): RuleSet['reads'] {
  const tallies = rules.flatMap(({ correlation }) => correlation.tallies ?? [])
  const named = rules.flatMap(({ columns }) => [
    ...(columns?.groupBy ?? []),
    ...(columns?.whereFields ?? []),
    ...(columns?.role == null ? [] : [columns.role]),
  ])
  return {
    rowsOf: new Set(tallies.filter(({ field }) => field === RESULT_ROWS).map(({ label }) => label)),
    origins: rules.some(({ looksFor }) => looksFor === 'origins'),
    fields: new Set([...named, ...tallies.map(({ field }) => field)]),
  }
}
