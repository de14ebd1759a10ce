// Columns that name something: whether it exists.
import { ACCESS } from '../../pdp/evaluation.ts'
import { parseGlob } from '../../pdp/glob.ts'
import type { PolicyRow } from '../../pdp/policy.ts'
import { DENIED } from '../../pdp/sequence/facts.ts'
import { compileTools, type ToolRow } from '../../pdp/tools.ts'
import { labelsOfRow, type ServerRows, type TenantRows } from '../scratch/tenant-rows.ts'
import type { Finding, RowCheck } from './problem.ts'

const finding = (rows: TenantRows, policy: PolicyRow, code: string, message: string): Finding => ({
  code,
  table: 'policies',
  key: [rows.tenant, policy.id],
  message,
})

/** The servers that a policy speaks of. */
const serversOf = (rows: TenantRows, policy: PolicyRow): ServerRows[] =>
  [...rows.servers.values()].filter(
    ({ facts }) => policy.server === null || policy.server === facts.name,
  )

export const serversExist: RowCheck = (rows) =>
  rows.policies
    .filter(({ server }) => server !== null && !rows.servers.has(server))
    .map((policy) =>
      finding(
        rows,
        policy,
        'unknown_server',
        `tenant \`${rows.tenant}\` has no server \`${policy.server}\`; ${hint(policy.server, [...rows.servers.keys()])}`,
      ),
    )

export const toolsExist: RowCheck = (rows) =>
  rows.policies.flatMap((policy) => {
    const { tool } = policy
    const servers = serversOf(rows, policy)
    if (tool === null || servers.length === 0) return []
    if (servers.some((server) => speaksOfATool(server, tool))) return []
    const known = servers.flatMap(({ toolRows }) => toolRows.map(({ name }) => name))
    const where = servers.map(({ facts }) => `\`${facts.name}\``).join(' or ')
    return [
      finding(
        rows,
        policy,
        'unknown_tool',
        `no tool of server ${where} is named \`${tool}\`; ${hint(tool, known)}`,
      ),
    ]
  })

function speaksOfATool({ tools, toolRows }: ServerRows, pattern: string): boolean {
  const glob = parseGlob(pattern)
  if (glob.exact) return tools.find(pattern) !== null
  return toolRows.some(({ name }) => {
    const row = parseGlob(name)
    if (row.exact) return glob.matches(name)
    // Two patterns: they may meet where one's beginning and end fit the other's.
    const [a, b] = [glob.prefix, row.prefix]
    const [c, d] = [endOf(pattern), endOf(name)]
    return (a.startsWith(b) || b.startsWith(a)) && (c.endsWith(d) || d.endsWith(c))
  })
}

const endOf = (pattern: string): string => pattern.slice(pattern.lastIndexOf('*') + 1)

export const labelsExist: RowCheck = (rows) =>
  rows.policies.flatMap((policy) => {
    const { label } = policy
    const servers = serversOf(rows, policy)
    if (label === null || servers.length === 0) return []
    const known = knownLabels(servers)
    if (known.has(label)) return []
    return [
      finding(
        rows,
        policy,
        'unknown_label',
        `no tool carries the label \`${label}\`; ${hint(label, [...known])}`,
      ),
    ]
  })

export const rulesCanHold: RowCheck = (rows) =>
  rows.rules.flatMap((rule) => {
    const carried = new Set([...carriedLabels([...rows.servers.values()]), DENIED])
    const known = new Set([...carried, ...DERIVED])
    const at = { table: 'sequence_rules', key: [rows.tenant, rule.id] } as const
    const needed = [...(rule.onLabel === 'any' ? [] : [rule.onLabel]), ...listOf(rule.rules)]
    const named = new Set([...needed, ...(rule.untilLabel === null ? [] : [rule.untilLabel])])
    const unknown = [...named].filter((label) => !known.has(label))
    if (unknown.length > 0) {
      return unknown.map((label) => ({
        ...at,
        code: 'unknown_label',
        message: `no tool carries the label \`${label}\`; ${hint(label, [...known])}`,
      }))
    }
    const missing = [...new Set(needed)].filter((label) => !carried.has(label))
    if (missing.length === 0) return []
    const labels = missing.map((label) => `\`${label}\``).join(', ')
    return [
      {
        ...at,
        code: 'sequence_rule_dead',
        message: `this rule can never hold, because no tool of \`${rows.tenant}\` carries ${labels}; label a tool or disable the rule`,
      },
    ]
  })

/** What Sallyport derives by itself: a deny on one of these is a precaution, not a slip. */
const DERIVED: ReadonlySet<string> = new Set(
  ACCESS.flatMap((access) => {
    const row: ToolRow = { name: 't', access, requiredScope: '', labelsReviewed: false, labels: [] }
    return compileTools([row], false).find('t')?.labels ?? []
  }),
)

const carriedLabels = (servers: readonly ServerRows[]): string[] =>
  servers.flatMap(({ toolRows, facts }) =>
    toolRows.flatMap((row) => labelsOfRow(row, facts.internal)),
  )

const knownLabels = (servers: readonly ServerRows[]): ReadonlySet<string> =>
  new Set([...carriedLabels(servers), ...DERIVED])

/** Rows whose list cannot be read are reported by the check for that. */
function listOf(json: string): string[] {
  const parsed: unknown = JSON.parse(json)
  return Array.isArray(parsed) ? parsed.filter((part) => typeof part === 'string') : []
}

export const actorsExist: RowCheck = (rows) =>
  rows.policies.flatMap((policy) =>
    (['client', 'agent'] as const).flatMap((kind) => {
      const id = policy[kind]
      const known = rows.registrations.filter((one) => one.kind === kind).map((one) => one.id)
      if (id === null || (kind === 'agent' && id === '*') || known.includes(id)) return []
      const message = `no ${kind} \`${id}\` is registered in \`${kind}s\`; ${hint(id, known)}`
      return [finding(rows, policy, `unknown_${kind}`, message)]
    }),
  )

export const rolesAreHeld: RowCheck = (rows) => {
  const held = [...new Set(rows.roles.map(({ role }) => role))]
  return rows.policies
    .filter(({ role }) => role !== null && !held.includes(role))
    .map((policy) =>
      finding(
        rows,
        policy,
        'warn_unknown_role',
        `nobody holds the role \`${policy.role}\` here, which is well if rows of role_assignments come later; ${hint(policy.role, held)}`,
      ),
    )
}

export const holdersAreTrusted: RowCheck = (rows) => {
  const issuers = rows.issuers.map(({ url }) => url)
  const found = [
    ...rows.registrations.map(({ kind, issuer, id }) => ({
      table: kind === 'client' ? ('clients' as const) : ('agents' as const),
      key: [rows.tenant, issuer, id],
      issuer,
    })),
    ...rows.roles.map(({ issuer, kind, holder, role }) => ({
      table: 'role_assignments' as const,
      key: [rows.tenant, issuer, kind, holder, role],
      issuer,
    })),
  ]
  return found
    .filter(({ issuer }) => !issuers.includes(issuer))
    .map(({ table, key, issuer }) => ({
      code: 'unknown_issuer',
      table,
      key,
      message: `tenant \`${rows.tenant}\` has no issuer \`${issuer}\`, byte for byte; ${hint(issuer, issuers)}`,
    }))
}

/** The nearest known name, by the letters that both begin or end with. */
function hint(name: string | null, known: readonly string[]): string {
  const common = (other: string): number => {
    const text = name ?? ''
    let [start, end] = [0, 0]
    while (start < text.length && text[start] === other[start]) start += 1
    while (end < text.length && text.at(-1 - end) === other.at(-1 - end)) end += 1
    return start + end
  }
  const [best] = known.toSorted((a, b) => common(b) - common(a))
  return best === undefined || common(best) < 3
    ? 'add its row or correct the name'
    : `write \`${best}\` or add a row for it`
}
