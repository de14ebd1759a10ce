// Policies that cannot change anything, because another row always speaks first.
import type { PolicyRow } from '../../pdp/policy.ts'
import type { CheckInput, Finding, RowCheck } from './problem.ts'
import { allows, denies, MATCHED, reaching, sameColumns, type Reaching } from './covering.ts'

/** What one other row, which is enforced, makes of a row, in the order in which it is asked. */
interface Overlap {
  readonly code: string
  holds(row: Reaching, other: Reaching, isLater: boolean): boolean
  message(other: string): string
}

const OVERLAPS: readonly Overlap[] = [
  {
    code: 'duplicate_policy',
    holds: (row, other, isLater) =>
      isLater && row.effect === other.effect && sameColumns(row, other) && sameDemands(row, other),
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
      covers(other, row) &&
      // Two rows may cover each other, as `*` and NULL do: then the later one is too much.
      (isLater || !covers(row, other)),
    message: (other) =>
      `changes nothing, because policy \`${other}\` says it of more calls; delete this row or narrow that one`,
  },
]

/** A row that only watches, and would change nothing if it did not. */
const SHADOW = 'warn_shadow_only'

const covers = (wide: Reaching, narrow: Reaching): boolean =>
  wide.effect === narrow.effect &&
  wide.condition === null &&
  (wide.effect === 'deny' ? denies(wide, narrow) : allows(wide, narrow))

const DEMANDS = [
  'condition',
  'requireAcr',
  'requireSenderConstrained',
  'maxAuthAgeSeconds',
  'requireApproval',
  'requireTask',
] as const

const sameDemands = (a: PolicyRow, b: PolicyRow): boolean =>
  DEMANDS.every((column) => a[column] === b[column])

/** One finding a row: the first that holds explains the others. */
export const policiesMatter: RowCheck = (rows, input) => {
  const policies = rows.tables.policies.map((row) => reaching(row, rows))
  // INVARIANT: a row that only watches covers nothing.
  const enforced = policies.filter(({ mode }) => mode === 'enforce')
  const order = orderOf(policies, rows.tenant, input)
  const same = Map.groupBy(enforced, columnsKey)
  const covering = Map.groupBy(
    enforced.filter(({ condition }) => condition === null),
    ({ role, server, tool }) => key(role, server, tool?.includes('*') === true ? null : tool),
  )
  return policies.flatMap((row): Finding[] => {
    const shadow = row.mode === 'shadow'
    const found = [...(same.get(columnsKey(row)) ?? []), ...wider(row, covering)]
    const others = found.filter((other) => other !== row)
    for (const overlap of OVERLAPS) {
      for (const other of others) {
        if (!overlap.holds(row, other, shadow || order(row) > order(other))) continue
        const message = overlap.message(other.id)
        const code = shadow ? SHADOW : overlap.code
        return [{ code, table: 'policies', key: [rows.tenant, row.id], message }]
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
  policies: readonly Reaching[],
  tenant: string,
  { scratch }: CheckInput,
): (row: Reaching) => number {
  const order = new Map(
    policies.map((row, at) => [
      row,
      (scratch.originOf('policies', [tenant, row.id])?.order ?? 0) + at / (policies.length + 1),
    ]),
  )
  return (row) => order.get(row) ?? 0
}
