// Pure. A row of `sequence_rules` becomes a rule, and RULE_TYPES is where a new type of rule goes.
import { err, ok, type Result } from '../../result.ts'
import { absence } from './absence.ts'
import { parseColumns, type RuleColumns } from './columns.ts'
import { eventCount } from './event-count.ts'
import { groupingsOf, type Groupings } from './groups.ts'
import { placeOf, type Histories, type History } from './history.ts'
import type { Scope } from './memory.ts'
import { provenance } from './provenance.ts'
import type { Step } from './step.ts'
import { temporal } from './temporal.ts'
import { temporalOrdered } from './temporal-ordered.ts'
import { valueCount } from './value-count.ts'
import { valueSum } from './value-sum.ts'

export type RuleType =
  | 'temporal'
  | 'temporal_ordered'
  | 'event_count'
  | 'value_count'
  | 'value_sum'
  | 'absence'
  | 'provenance'

/** From the strongest to the weakest. */
export const EFFECTS = ['deny', 'approve', 'audit'] as const
export type RuleEffect = (typeof EFFECTS)[number]

/** A row of `sequence_rules` (migrations/0004_create_policies.sql); JSON columns are still text. */
export interface SequenceRuleRow {
  readonly id: string
  readonly effect: RuleEffect
  readonly onLabel: string
  readonly onAccess: string | null
  readonly unlessLabel: string | null
  readonly onWhere: string | null
  readonly type: RuleType
  readonly rules: string
  readonly groupBy: string
  readonly scope: Scope
  readonly timespanSeconds: number | null
  readonly untilLabel: string | null
  readonly field: string | null
  readonly condition: string | null
  readonly role: string | null
  readonly origins: string | null
  readonly reason: string
}

/** One type of rule: reads its columns once, then answers for each step. */
export interface RuleDefinition {
  readonly looksFor: 'labels' | 'origins'
  /** Whether it may be kept by task: flows of data go on when a task ends. */
  readonly perTask: boolean
  parse(columns: RuleColumns): Result<Correlation, string>
}

export interface Correlation {
  readonly holds: (history: History, step: Step) => boolean
  /** Labels of which it asks what is `possible`: each occurrence can only make it hold. */
  readonly restricting?: readonly string[]
  /** Labels of which it asks what is `known`: each occurrence can only keep it from holding. */
  readonly permitting?: readonly string[]
  /** Labels of which it counts whether their calls have ended. */
  readonly endings?: readonly string[]
  /** Values or sums that must be kept for it. */
  readonly tallies?: readonly Tally[]
}

export interface Tally {
  readonly label: string
  readonly field: string
  readonly timespanSeconds: number
  /** Of sums: the width of a bucket in ms; null: distinct values. */
  readonly width: number | null
}

export const RULE_TYPES: { readonly [type in RuleType]: RuleDefinition } = {
  temporal,
  temporal_ordered: temporalOrdered,
  event_count: eventCount,
  value_count: valueCount,
  value_sum: valueSum,
  absence,
  provenance,
}

export interface SequenceRule {
  readonly row: SequenceRuleRow
  /** Why the row could not be read, or null. Such a rule holds for every call on its label. */
  readonly problem: string | null
  /** null where the row could not be read. */
  readonly columns: RuleColumns | null
  readonly looksFor: RuleDefinition['looksFor']
  readonly groupings: Groupings
  readonly correlation: Correlation
  /** Whether it is asked at all, of a call that carries its label. */
  concerns(step: Pick<Step, 'access' | 'labels' | 'values' | 'taskKey'>): boolean
  holds(histories: Histories, step: Step): boolean
}

export function compileRule(row: SequenceRuleRow): SequenceRule {
  // A row that was written past the CHECKs may name anything.
  const definition = Object.hasOwn(RULE_TYPES, row.type) ? RULE_TYPES[row.type] : null
  const looksFor = definition?.looksFor ?? 'labels'
  const read =
    definition === null ? err(`there is no type \`${row.type}\``) : readRow(row, definition)
  if (!read.ok) {
    return {
      row,
      problem: read.error,
      columns: null,
      looksFor,
      groupings: groupingsOf([]),
      correlation: ALWAYS,
      concerns: () => true,
      holds: () => true,
    }
  }
  const { columns, correlation } = read.value
  const { access, unlessLabel, where } = columns
  const groupings = groupingsOf(columns.groupBy)
  const place = placeOf(row.scope, groupings)
  return {
    row,
    problem: null,
    columns,
    looksFor,
    groupings,
    correlation,
    concerns: (step) =>
      // What a task may do says nothing of calls outside of any; policies can ask for a task.
      (row.scope !== 'task' || step.taskKey !== null) &&
      (access === null || access.includes(step.access)) &&
      (unlessLabel === null || !step.labels.includes(unlessLabel)) &&
      (where === null || where(step)),
    holds: (histories, step) => {
      const asked = histories.of(place)
      // INVARIANT: a call that lacks the key, or whose key cannot be read, is taken to be the worst.
      return asked === null || asked.some((history) => correlation.holds(history, step))
    },
  }
}

const ALWAYS: Correlation = { holds: () => true }

function readRow(
  row: SequenceRuleRow,
  definition: RuleDefinition,
): Result<{ readonly columns: RuleColumns; readonly correlation: Correlation }, string> {
  const columns = parseColumns(row, definition)
  if (!columns.ok) return columns
  const correlation = definition.parse(columns.value)
  return correlation.ok
    ? ok({ columns: columns.value, correlation: correlation.value })
    : correlation
}
