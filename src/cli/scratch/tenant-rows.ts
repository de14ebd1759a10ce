// One tenant's rows, read from the scratch database as the Worker reads them from D1.
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { ServerFacts } from '../../pdp/evaluation.ts'
import { compileTools, type ToolCatalogue, type ToolRow } from '../../pdp/tools.ts'
import { serverFacts } from '../../storage/compiled.ts'
import * as schema from '../../storage/schema.ts'
import type { TenantTables } from '../../storage/tenant-tables.ts'
import { toolRowsByServer } from '../../storage/tool-rows.ts'
import { readTable } from './read-table.ts'

/** All of a tenant that its author writes: the compiled tables as the Worker has them, and the rest. */
export interface AuthoredTables extends TenantTables {
  readonly tenants: readonly (typeof schema.tenants.$inferSelect)[]
  readonly tools: readonly (typeof schema.tools.$inferSelect)[]
  readonly clients: readonly (typeof schema.clients.$inferSelect)[]
  readonly agents: readonly (typeof schema.agents.$inferSelect)[]
  readonly roleAssignments: readonly (typeof schema.roleAssignments.$inferSelect)[]
  readonly resources: readonly (typeof schema.resources.$inferSelect)[]
  readonly consents: readonly (typeof schema.consents.$inferSelect)[]
  readonly tasks: readonly (typeof schema.tasks.$inferSelect)[]
  readonly taskOpeners: readonly (typeof schema.taskOpeners.$inferSelect)[]
  readonly revocations: readonly (typeof schema.revocations.$inferSelect)[]
  readonly pdpCallers: readonly (typeof schema.pdpCallers.$inferSelect)[]
  readonly signalStreams: readonly (typeof schema.signalStreams.$inferSelect)[]
  readonly subjectAliases: readonly (typeof schema.subjectAliases.$inferSelect)[]
}

export interface ServerRows {
  readonly row: AuthoredTables['servers'][number]
  readonly facts: ServerFacts
  readonly toolRows: readonly ToolRow[]
  readonly tools: ToolCatalogue
}

export interface TenantRows {
  readonly tenant: string
  readonly tables: AuthoredTables
  /** In the order of their names. */
  readonly servers: ReadonlyMap<string, ServerRows>
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
  const tables: AuthoredTables = {
    tenants: readTable(database, schema.tenants, tenant),
    issuers: readTable(database, schema.issuers, tenant),
    clients: readTable(database, schema.clients, tenant),
    agents: readTable(database, schema.agents, tenant),
    roleAssignments: readTable(database, schema.roleAssignments, tenant),
    servers: readTable(database, schema.servers, tenant),
    tools: readTable(database, schema.tools, tenant),
    toolAccess: readTable(database, schema.toolAccess, tenant),
    toolLabels: readTable(database, schema.toolLabels, tenant),
    resourceTypes: readTable(database, schema.resourceTypes, tenant),
    toolArguments: readTable(database, schema.toolArguments, tenant),
    toolResults: readTable(database, schema.toolResults, tenant),
    toolOrigins: readTable(database, schema.toolOrigins, tenant),
    resources: readTable(database, schema.resources, tenant),
    consents: readTable(database, schema.consents, tenant),
    tasks: readTable(database, schema.tasks, tenant),
    taskOpeners: readTable(database, schema.taskOpeners, tenant),
    revocations: readTable(database, schema.revocations, tenant),
    pdpCallers: readTable(database, schema.pdpCallers, tenant),
    signalStreams: readTable(database, schema.signalStreams, tenant),
    subjectAliases: readTable(database, schema.subjectAliases, tenant),
    // Rows that are switched off are nobody's problem.
    policies: enabledById(readTable(database, schema.policies, tenant)),
    sequenceRules: enabledById(readTable(database, schema.sequenceRules, tenant)),
  }
  return { tenant, tables, servers: serversOf(tables) }
}

export function serversOf(tables: AuthoredTables): ReadonlyMap<string, ServerRows> {
  const toolsOf = toolRowsByServer(tables)
  const rows = tables.servers.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return new Map(
    rows.map((row) => {
      const toolRows = toolsOf.get(row.name) ?? []
      const tools = compileTools(toolRows, row.internal)
      // What becomes of its address is a check of its own.
      return [row.name, { row, facts: serverFacts(row, true, []), toolRows, tools }]
    }),
  )
}

const enabledById = <Row extends { readonly id: string; readonly enabled: boolean }>(
  rows: readonly Row[],
): Row[] => rows.filter(({ enabled }) => enabled).toSorted((a, b) => (a.id < b.id ? -1 : 1))

/** What some call of one row of `tools` carries, labels that Sallyport derives included. */
export const labelsOfRow = (row: ToolRow, internal: boolean): readonly string[] =>
  compileTools([row], internal).find(row.name, null)?.labels ?? []
