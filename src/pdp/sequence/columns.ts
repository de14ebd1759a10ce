// Pure. The columns of a rule that are JSON, and what is common to all types.
import { err, ok, type Result } from '../../result.ts'
import { parseCondition, type CountCondition } from './condition.ts'
import type { RuleDefinition, SequenceRuleRow } from './rule.ts'
import { parseWhere, type Where } from './where.ts'

export interface RuleColumns {
  readonly labels: readonly string[]
  readonly access: readonly string[] | null
  readonly unlessLabel: string | null
  readonly where: Where | null
  /** The roles and kinds that `on_where` tests. */
  readonly whereFields: readonly string[]
  readonly groupBy: readonly string[]
  readonly timespanSeconds: number | null
  readonly untilLabel: string | null
  readonly field: string | null
  readonly condition: CountCondition | null
  readonly role: string | null
  /** As it stands in its column, parsed as JSON. */
  readonly origins: unknown
}

const MOST_LABELS = 8

export function parseColumns(
  row: SequenceRuleRow,
  { looksFor, perTask }: RuleDefinition,
): Result<RuleColumns, string> {
  const labels = parseJson(row.rules)
  if (
    !isTexts(labels) ||
    !labels.every(isLabel) ||
    labels.length > MOST_LABELS ||
    (labels.length === 0 && looksFor === 'labels')
  ) {
    return err(`\`rules\` must be a list of at most ${MOST_LABELS} labels`)
  }
  const access = row.onAccess === null ? null : parseJson(row.onAccess)
  if (access !== null && !isTexts(access)) return err('`on_access` must be a list of classes')
  const groupBy = parseJson(row.groupBy)
  if (!isTexts(groupBy) || !groupBy.every(isName)) {
    return err('`group_by` must be a list of `tool`, `server` and roles')
  }
  if (row.scope === 'task' && !perTask) {
    return err(`\`${row.type}\` cannot be kept by task`)
  }
  if (row.field !== null && !isName(row.field)) return err('`field` must be a role or a kind')
  const wanted = row.onWhere === null ? null : parseJson(row.onWhere)
  const where = row.onWhere === null ? ok(null) : parseWhere(wanted)
  if (!where.ok) return where
  const condition = row.condition === null ? ok(null) : parseCondition(parseJson(row.condition))
  if (!condition.ok) return condition
  return ok({
    labels,
    access,
    unlessLabel: row.unlessLabel,
    where: where.value,
    whereFields: Object.keys(wanted ?? {}),
    groupBy,
    timespanSeconds: row.timespanSeconds,
    untilLabel: row.untilLabel,
    field: row.field,
    condition: condition.value,
    role: row.role,
    origins: row.origins === null ? null : parseJson(row.origins),
  })
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

const isLabel = (text: string): boolean => /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$/.test(text)
const isName = (text: string): boolean => /^[a-z][a-z0-9_.:-]*$/i.test(text)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
