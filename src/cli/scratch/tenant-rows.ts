// One tenant's rows as the core takes them, read from the scratch database.
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { Access, ServerFacts } from '../../pdp/evaluation.ts'
import type { PolicyRow } from '../../pdp/policy.ts'
import type { SequenceRuleRow } from '../../pdp/sequence/rule.ts'
import { compileTools, scopesOf, type ToolCatalogue, type ToolRow } from '../../pdp/tools.ts'

export interface ServerRows {
  readonly facts: ServerFacts
  readonly url: string
  readonly toolRows: readonly ToolRow[]
  readonly tools: ToolCatalogue
}

export interface Registration {
  readonly kind: 'client' | 'agent'
  readonly issuer: string
  readonly id: string
}

export interface RoleRow {
  readonly issuer: string
  readonly kind: string
  readonly holder: string
  readonly role: string
}

export interface IssuerRow {
  readonly url: string
  readonly jwksUri: string
  readonly algorithms: string
}

export interface TenantRows {
  readonly tenant: string
  readonly issuers: readonly IssuerRow[]
  readonly registrations: readonly Registration[]
  readonly roles: readonly RoleRow[]
  readonly servers: ReadonlyMap<string, ServerRows>
  /** Only rows that are enabled: what is switched off is nobody's problem. */
  readonly policies: readonly PolicyRow[]
  readonly rules: readonly SequenceRuleRow[]
}

export function readTenants(database: DatabaseSync): TenantRows[] {
  return select<{ id: string }>(database, 'SELECT id FROM tenants ORDER BY id').map(({ id }) =>
    readTenant(database, id),
  )
}

export function select<Row>(
  database: DatabaseSync,
  sql: string,
  ...values: SQLInputValue[]
): Row[] {
  return database.prepare(sql).all(...values) as Row[]
}

export function readTenant(database: DatabaseSync, tenant: string): TenantRows {
  const rows = <Row>(sql: string): Row[] => select<Row>(database, sql, tenant)
  return {
    tenant,
    issuers: rows(
      `SELECT url, jwks_uri AS jwksUri, algorithms FROM issuers WHERE tenant = ? ORDER BY rowid`,
    ),
    registrations: select(
      database,
      `SELECT 'client' AS kind, issuer, id FROM clients WHERE tenant = ?1
       UNION ALL SELECT 'agent', issuer, id FROM agents WHERE tenant = ?1`,
      tenant,
    ),
    roles: rows(
      `SELECT issuer, holder_kind AS kind, holder, role FROM role_assignments WHERE tenant = ?`,
    ),
    servers: readServers(rows),
    policies: rows(
      `SELECT id, effect, role, client, agent, server, tool, access, label, condition
       FROM policies WHERE tenant = ? AND enabled = 1 ORDER BY id`,
    ),
    rules: rows(
      `SELECT id, effect, on_label AS onLabel, type, rules, scope, timespan_s AS timespanSeconds,
         until_label AS untilLabel, condition, reason
       FROM sequence_rules WHERE tenant = ? AND enabled = 1 ORDER BY id`,
    ),
  }
}

interface ServerTableRow {
  readonly name: string
  readonly url: string
  readonly required_scope: string
  readonly internal: number
  readonly active: number
}

interface ToolTableRow {
  readonly server: string
  readonly name: string
  readonly access: Access
  readonly required_scope: string
  readonly labels_reviewed: number
}

interface LabelTableRow {
  readonly server: string
  readonly tool: string
  readonly label: string
}

function readServers(rows: <Row>(sql: string) => Row[]): Map<string, ServerRows> {
  const labels = rows<LabelTableRow>('SELECT server, tool, label FROM tool_labels WHERE tenant = ?')
  const labelsOf = Map.groupBy(labels, ({ server, tool }) => `${server}/${tool}`)
  const tools = rows<ToolTableRow>(
    `SELECT server, name, access, required_scope, labels_reviewed FROM tools WHERE tenant = ?`,
  )
  const toolsOf = Map.groupBy(tools, ({ server }) => server)
  const servers = rows<ServerTableRow>(
    `SELECT name, url, required_scope, internal, active FROM servers WHERE tenant = ? ORDER BY name`,
  )
  return new Map(
    servers.map((server) => {
      const internal = server.internal === 1
      const toolRows = (toolsOf.get(server.name) ?? []).map((tool): ToolRow => ({
        name: tool.name,
        access: tool.access,
        requiredScope: tool.required_scope,
        labelsReviewed: tool.labels_reviewed === 1,
        labels: (labelsOf.get(`${tool.server}/${tool.name}`) ?? []).map(({ label }) => label),
      }))
      const facts = {
        name: server.name,
        active: server.active === 1,
        internal,
        requiredScopes: scopesOf(server.required_scope),
      }
      return [
        server.name,
        { facts, url: server.url, toolRows, tools: compileTools(toolRows, internal) },
      ]
    }),
  )
}

/** The labels of one row of `tools`, those that Sallyport derives included. */
export const labelsOfRow = (row: ToolRow, internal: boolean): readonly string[] =>
  compileTools([row], internal).find(row.name)?.labels ?? []
