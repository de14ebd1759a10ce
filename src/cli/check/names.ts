// Columns of policies that name something: whether it exists.
import { parseGlob } from '../../pdp/glob.ts'
import type { PolicyRow } from '../../pdp/policy.ts'
import type { ServerRows, TenantRows } from '../scratch/tenant-rows.ts'
import { hint } from './hint.ts'
import type { Finding, RowCheck } from './problem.ts'
import { globsMeet, serversOf } from './reach.ts'

const finding = (rows: TenantRows, policy: PolicyRow, code: string, message: string): Finding => ({
  code,
  table: 'policies',
  key: [rows.tenant, policy.id],
  message,
})

export const serversExist: RowCheck = (rows) =>
  rows.tables.policies
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
  rows.tables.policies.flatMap((policy) => {
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

const speaksOfATool = ({ tools, toolRows }: ServerRows, pattern: string): boolean =>
  parseGlob(pattern).exact
    ? tools.find(pattern, null) !== null
    : toolRows.some(({ name }) => globsMeet(pattern, name))

export const actorsExist: RowCheck = (rows) =>
  rows.tables.policies.flatMap((policy) =>
    (['client', 'agent'] as const).flatMap((kind) => {
      const id = policy[kind]
      const known = idsOf(rows, kind)
      if (id === null || (kind === 'agent' && id === '*') || known.includes(id)) return []
      const message = `no ${kind} \`${id}\` is registered in \`${kind}s\`; ${hint(id, known)}`
      return [finding(rows, policy, `unknown_${kind}`, message)]
    }),
  )

const idsOf = ({ tables }: TenantRows, kind: 'client' | 'agent'): string[] =>
  (kind === 'client' ? tables.clients : tables.agents).map(({ id }) => id)

export const environmentsExist: RowCheck = (rows) =>
  rows.tables.policies.flatMap((policy) => {
    const { environment } = policy
    const tools = serversOf(rows, policy).flatMap(({ toolRows }) => toolRows)
    const known = [...new Set(tools.map((row) => row.environment))]
    if (environment === null || tools.length === 0 || known.includes(environment)) return []
    const message = `no tool is of environment \`${environment}\`; ${hint(environment, known)}`
    return [finding(rows, policy, 'unknown_environment', message)]
  })

export const rolesAreHeld: RowCheck = (rows) => {
  const held = [...new Set(rows.tables.roleAssignments.map(({ role }) => role))]
  return rows.tables.policies
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
