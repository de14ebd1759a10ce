// Sequence rules that nothing can set off, whatever was done before.
import { compileRule, type SequenceRule, type Tally } from '../../pdp/sequence/rule.ts'
import { RESULT_ROWS } from '../../pdp/sequence/value-sum.ts'
import { ACT } from '../../pdp/sequence/provenance.ts'
import type { Finding, RowCheck } from './problem.ts'
import { hasField, modelCalls, nameOf, type ModelCall } from './rule-calls.ts'

export const rulesFindTheirValues: RowCheck = (rows) => {
  const calls = modelCalls(rows)
  return rows.tables.sequenceRules.flatMap((row): Finding[] => {
    const rule = compileRule(row)
    if (rule.columns === null) return []
    const message = whyNever(rule, calls)
    const key = [rows.tenant, row.id]
    return message === null
      ? []
      : [{ code: 'sequence_rule_dead', table: 'sequence_rules', key, message }]
  })
}

function whyNever(rule: SequenceRule, calls: readonly ModelCall[]): string | null {
  const { row, columns } = rule
  if (columns === null) return null
  const unreachable = outOfReach(rule)
  if (unreachable !== null) return unreachable
  const triggering = calls.filter(
    ({ labels }) => row.onLabel === 'any' || labels.includes(row.onLabel),
  )
  const [example] = triggering
  // That no tool carries the label is another check's.
  if (example === undefined) return null
  const { access, unlessLabel, whereFields } = columns
  if (access !== null && !triggering.some((call) => access.includes(call.access))) {
    return `no tool on \`${row.onLabel}\` is of the classes ${access.join(', ')}: a call of ${nameOf(example)} is of class ${example.access}, and the rule is not asked; correct \`on_access\``
  }
  if (unlessLabel !== null && triggering.every(({ labels }) => labels.includes(unlessLabel))) {
    return `every tool on \`${row.onLabel}\` also carries \`${unlessLabel}\`: a call of ${nameOf(example)} does, and the rule is not asked; correct \`unless_label\``
  }
  for (const field of whereFields) {
    if (!triggering.some((call) => hasField(call, field))) {
      return `\`on_where\` tests \`${field}\`, which no tool on \`${row.onLabel}\` has: a call of ${nameOf(example)} passes no such value, and the rule is not asked; give the argument that role in \`tool_arguments\``
    }
  }
  if (row.type === 'provenance' && row.role !== ACT) {
    const role = row.role ?? ''
    return triggering.some((call) => call.values.some((value) => value.role === role))
      ? null
      : `no tool on \`${row.onLabel}\` has an argument of role \`${role}\`: a call of ${nameOf(example)} passes no such value, so none can lack its origin; give the argument that role in \`tool_arguments\``
  }
  const [tally] = rule.correlation.tallies ?? []
  return tally === undefined ? null : withoutField(tally, calls)
}

/** A field that no counted tool has adds up to nothing. */
function withoutField({ label, field }: Tally, calls: readonly ModelCall[]): string | null {
  const counted = calls.filter(({ labels }) => labels.includes(label))
  const [example] = counted
  if (field === RESULT_ROWS || example === undefined) return null
  return counted.some((call) => hasField(call, field))
    ? null
    : `no tool that carries \`${label}\` has an argument of role or resource type \`${field}\`: after any number of calls of ${nameOf(example)} there is nothing to count; give the argument that role in \`tool_arguments\``
}

/** A condition that no number fits. */
function outOfReach({ row, columns }: SequenceRule): string | null {
  const terms = columns?.condition?.terms ?? []
  const whole = row.type !== 'value_sum'
  let least = 0
  let most = Infinity
  for (const { name, bound } of terms) {
    if (name === 'gt') least = Math.max(least, whole ? Math.floor(bound) + 1 : bound)
    if (name === 'gte') least = Math.max(least, whole ? Math.ceil(bound) : bound)
    if (name === 'lt') most = Math.min(most, whole ? Math.ceil(bound) - 1 : bound)
    if (name === 'lte') most = Math.min(most, whole ? Math.floor(bound) : bound)
  }
  return least > most
    ? `no number fits \`condition\`: ${least} is the least that it asks for, ${Math.max(0, most)} the most; after ${least} calls it does not hold, and after fewer neither`
    : null
}
