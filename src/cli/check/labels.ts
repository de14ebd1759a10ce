// Labels that policies and rules wait for, and whether anything carries them.
import { ACCESS } from '../../pdp/evaluation.ts'
import { compileRule } from '../../pdp/sequence/rule.ts'
import { APPROVED, DENIED } from '../../pdp/sequence/facts.ts'
import type { ToolRow } from '../../pdp/tools.ts'
import { labelsOfRow, type ServerRows, type TenantRows } from '../scratch/tenant-rows.ts'
import { hint } from './hint.ts'
import { textsOf } from './json-column.ts'
import type { RowCheck } from './problem.ts'
import { serversOf } from './reach.ts'

export const labelsExist: RowCheck = (rows) =>
  rows.tables.policies.flatMap(({ id, server, label }) => {
    const servers = serversOf(rows, { server })
    if (label === null || servers.length === 0) return []
    const known = new Set([...carriedLabels(rows, servers), ...DERIVED])
    if (known.has(label)) return []
    return [
      {
        table: 'policies',
        key: [rows.tenant, id],
        code: 'unknown_label',
        message: `no tool and no resource carries the label \`${label}\`; ${hint(label, [...known])}`,
      },
    ]
  })

export const rulesCanHold: RowCheck = (rows) => {
  const carried = new Set([...carriedLabels(rows, [...rows.servers.values()]), DENIED, APPROVED])
  const known = new Set([...carried, ...DERIVED])
  return rows.tables.sequenceRules.flatMap((rule) => {
    const at = { table: 'sequence_rules', key: [rows.tenant, rule.id] } as const
    // Rows whose list cannot be read are reported by the check for that.
    const trigger = rule.onLabel === 'any' ? [] : [rule.onLabel]
    const looked = textsOf(rule.rules).texts
    const { correlation } = compileRule(rule)
    const { restricting = [], tallies = [] } = correlation
    // Where an occurrence permits, its lack is just what the rule waits for.
    const waitedFor = new Set([...restricting, ...tallies.map(({ label }) => label)])
    const needed = [...trigger, ...looked.filter((label) => waitedFor.has(label))]
    const others = [rule.untilLabel, rule.unlessLabel].filter((label) => label !== null)
    const named = new Set([...needed, ...looked, ...others])
    const unknown = [...named].filter((label) => !known.has(label))
    if (unknown.length > 0) {
      return unknown.map((label) => ({
        ...at,
        code: 'unknown_label',
        message: `no tool and no resource carries the label \`${label}\`; ${hint(label, [...known])}`,
      }))
    }
    const missing = [...new Set(needed)].filter((label) => !carried.has(label))
    if (missing.length === 0) return []
    const labels = missing.map((label) => `\`${label}\``).join(', ')
    return [
      {
        ...at,
        code: 'sequence_rule_dead',
        message: `this rule can never hold, because nothing of \`${rows.tenant}\` carries ${labels}; label a tool or disable the rule`,
      },
    ]
  })
}

export const carriedLabels = ({ tables }: TenantRows, servers: readonly ServerRows[]): string[] => [
  ...servers.flatMap(({ toolRows, facts }) =>
    toolRows.flatMap((row) => labelsOfRow(row, facts.internal)),
  ),
  ...tables.resources.flatMap(({ labels }) => textsOf(labels).texts),
]

/** For what Sallyport derives from a class of access alone. */
export const toolOf = (access: ToolRow['access'], labelsReviewed: boolean): ToolRow => ({
  name: 't',
  access,
  environment: 'production',
  requiredScope: '',
  labelsReviewed,
  pin: null,
  labels: [],
  accessWhen: [],
  arguments: [],
  results: [],
})

/** What Sallyport derives by itself: a deny on one of these is a precaution, not a slip. */
export const DERIVED: ReadonlySet<string> = new Set(
  ACCESS.flatMap((access) => labelsOfRow(toolOf(access, false), false)),
)
