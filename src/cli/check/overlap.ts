// Policies that cannot change anything, because another row always speaks first.
import { ACCESS, type Access } from '../../pdp/evaluation.ts'
import { parseGlob } from '../../pdp/glob.ts'
import type { PolicyRow } from '../../pdp/policy.ts'
import { compileTools } from '../../pdp/tools.ts'
import type { TenantRows } from '../scratch/tenant-rows.ts'
import type { CheckInput, Finding, RowCheck } from './problem.ts'

/** A row with what is known of the tools that it reaches, whether or not its columns say so. */
interface Reaching extends PolicyRow {
  readonly knownAccess: string | null
  readonly knownLabels: readonly string[]
}

function reaching(row: PolicyRow, { servers }: TenantRows): Reaching {
  const server = row.server === null ? undefined : servers.get(row.server)
  const exact = row.tool !== null && parseGlob(row.tool).exact
  const tool = exact ? server?.tools.find(row.tool ?? '') : null
  const labels = tool?.labels ?? (row.access === null ? [] : LABELS_OF_ACCESS[row.access])
  return {
    ...row,
    knownAccess: row.access ?? tool?.access ?? null,
    knownLabels: row.label === null ? labels : [...labels, row.label],
  }
}

/** An export carries `sink.export` without anybody labelling it; the core knows which do. */
const LABELS_OF_ACCESS = Object.fromEntries(
  ACCESS.map((access) => {
    const row = { name: 't', access, requiredScope: '', labelsReviewed: true, labels: [] }
    return [access, compileTools([row], true).find('t')?.labels ?? []]
  }),
) as Record<Access, readonly string[]>

const MATCHED = ['role', 'client', 'agent', 'server', 'tool', 'access', 'label'] as const

/** NULL restricts nothing, and in this column `*` neither. */
const agentOf = ({ agent }: PolicyRow): string | null => (agent === '*' ? null : agent)

/** Whether every call that fits `narrow` fits `wide`, roles aside. */
const coversColumns = (wide: Reaching, narrow: Reaching): boolean =>
  (wide.client === null || wide.client === narrow.client) &&
  (agentOf(wide) === null || agentOf(wide) === agentOf(narrow)) &&
  (wide.server === null || wide.server === narrow.server) &&
  (wide.access === null || wide.access === narrow.knownAccess) &&
  (wide.label === null || narrow.knownLabels.includes(wide.label)) &&
  coversTool(wide.tool, narrow.tool)

/** A pattern that matches another one's text matches whatever that one matches. */
const coversTool = (wide: string | null, narrow: string | null): boolean =>
  wide === null || (narrow !== null && parseGlob(wide).matches(narrow))

/** A deny without a role speaks of everybody; with one, of whom the allow needs to hold it too. */
const denies = (deny: Reaching, row: Reaching): boolean =>
  coversColumns(deny, row) && (deny.role === null || deny.role === row.role)

const namesSoftware = ({ client, agent }: PolicyRow): boolean => client !== null || agent !== null

/** An allow counts for the software only where it names it: the wider one must do so as well. */
const allows = (wide: Reaching, narrow: Reaching): boolean =>
  coversColumns(wide, narrow) &&
  (wide.role === narrow.role
    ? namesSoftware(wide) || !namesSoftware(narrow)
    : wide.role === null && namesSoftware(wide))

const sameColumns = (a: PolicyRow, b: PolicyRow): boolean =>
  MATCHED.every((column) => a[column] === b[column])

/** What one other row makes of a row, in the order in which it is asked. */
interface Overlap {
  readonly code: string
  holds(row: Reaching, other: Reaching, isLater: boolean): boolean
  message(other: string): string
}

const OVERLAPS: readonly Overlap[] = [
  {
    code: 'duplicate_policy',
    holds: (row, other, isLater) =>
      isLater &&
      row.effect === other.effect &&
      row.condition === other.condition &&
      sameColumns(row, other),
    message: (other) => `says the same as policy \`${other}\`; delete one of them`,
  },
  {
    code: 'contradiction',
    holds: (row, other) =>
      row.effect === 'allow' &&
      other.effect === 'deny' &&
      row.condition === null &&
      other.condition === null &&
      sameColumns(row, other),
    message: (other) =>
      `allows what policy \`${other}\` denies with the same columns, and the deny wins; delete one of them`,
  },
  {
    code: 'dead_policy',
    holds: (row, other) =>
      row.effect === 'allow' &&
      other.effect === 'deny' &&
      other.condition === null &&
      denies(other, row),
    message: (other) =>
      `never allows anything, because policy \`${other}\` denies all of it; narrow that deny or delete this row`,
  },
  {
    code: 'shadowed_policy',
    holds: (row, other, isLater) =>
      row.effect === other.effect &&
      other.condition === null &&
      (row.effect === 'deny' ? denies(other, row) : allows(other, row)) &&
      // Two rows may cover each other, as `*` and NULL do: then the later one is too much.
      (isLater || !(row.effect === 'deny' ? denies(row, other) : allows(row, other))),
    message: (other) =>
      `changes nothing, because policy \`${other}\` says it of more calls; delete this row or narrow that one`,
  },
]

/** One finding a row: the first that holds explains the others. */
export const policiesMatter: RowCheck = (rows, input) => {
  const policies = rows.policies.map((row) => reaching(row, rows))
  const order = orderOf(policies, rows.tenant, input)
  const same = Map.groupBy(policies, columnsKey)
  const covering = Map.groupBy(
    policies.filter(({ condition }) => condition === null),
    ({ role, server, tool }) => key(role, server, tool?.includes('*') === true ? null : tool),
  )
  return policies.flatMap((row): Finding[] => {
    const found = [...(same.get(columnsKey(row)) ?? []), ...wider(row, covering)]
    const others = found.filter((other) => other !== row)
    for (const overlap of OVERLAPS) {
      for (const other of others) {
        if (!overlap.holds(row, other, order(row) > order(other))) continue
        const message = overlap.message(other.id)
        return [{ code: overlap.code, table: 'policies', key: [rows.tenant, row.id], message }]
      }
    }
    return []
  })
}

const key = (...parts: readonly (string | null)[]): string => JSON.stringify(parts)

const columnsKey = (row: PolicyRow): string => key(...MATCHED.map((column) => row[column]))

/** Rows that could cover this one: 10,000 rows are not compared with each other. */
const wider = (row: Reaching, filed: ReadonlyMap<string, Reaching[]>): Reaching[] =>
  [...new Set([row.role, null])].flatMap((role) =>
    [...new Set([row.server, null])].flatMap((server) =>
      [...new Set([row.tool, null])].flatMap((tool) => filed.get(key(role, server, tool)) ?? []),
    ),
  )

/** Rows of one statement count in the order of their ids. */
function orderOf(
  policies: readonly PolicyRow[],
  tenant: string,
  { scratch }: CheckInput,
): (row: PolicyRow) => number {
  const order = new Map(
    policies.map((row, at) => [
      row,
      (scratch.originOf('policies', [tenant, row.id])?.order ?? 0) + at / (policies.length + 1),
    ]),
  )
  return (row) => order.get(row) ?? 0
}
