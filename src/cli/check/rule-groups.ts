// Tools whose every call is the worst case of a rule, because they lack what it groups by.
import { compileRule } from '../../pdp/sequence/rule.ts'
import type { Finding, RowCheck } from './problem.ts'
import { hasField, modelCalls, nameOf } from './rule-calls.ts'

export const rulesFindTheirKeys: RowCheck = (rows) => {
  const calls = modelCalls(rows)
  return rows.tables.sequenceRules.flatMap((row): Finding[] => {
    const rule = compileRule(row)
    const { columns } = rule
    if (columns === null) return []
    const asked = calls.filter(
      (call) =>
        (row.onLabel === 'any' || call.labels.includes(row.onLabel)) &&
        rule.concerns({ ...call, taskKey: 'task' }),
    )
    return columns.groupBy.flatMap((name): Finding[] => {
      if (name === 'tool' || name === 'server') return []
      const lacking = asked.filter((call) => !hasField(call, name))
      // That none of them has it is another finding (rule-histories.ts).
      if (lacking.length === 0 || lacking.length === asked.length) return []
      return [
        {
          code: 'warn_rule_without_key',
          table: 'sequence_rules',
          key: [rows.tenant, row.id],
          message: `\`group_by\` asks for \`${name}\`, which ${lacking.map(nameOf).join(', ')} cannot name: the rule holds for each of their calls; give an argument of theirs that role in \`tool_arguments\`, or leave them out by \`unless_label\``,
        },
      ]
    })
  })
}
