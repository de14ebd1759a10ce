// Which tools a row speaks of, and what is known of their arguments.
import { readJson } from '../../mcp/json.ts'
import { isJsonObject, type JsonObject } from '../../mcp/value.ts'
import { parseGlob } from '../../pdp/glob.ts'
import type { PolicyRow } from '../../pdp/policy.ts'
import type { ToolRow } from '../../pdp/tools.ts'
import type { AuthoredTables, ServerRows, TenantRows } from '../scratch/tenant-rows.ts'
import { InputSchema } from './input-schema.ts'

export interface ReachedTool {
  readonly server: ServerRows
  readonly row: ToolRow
  /** null: it is not pinned, or its definition is not stored, or it is a pattern. */
  readonly definition: JsonObject | null
}

/** The servers that a policy speaks of. */
export const serversOf = (rows: TenantRows, policy: Pick<PolicyRow, 'server'>): ServerRows[] =>
  [...rows.servers.values()].filter(
    ({ facts }) => policy.server === null || policy.server === facts.name,
  )

/** Every row of `tools` that could stand for a call which the policy's columns fit. */
export function toolsReached(rows: TenantRows, policy: PolicyRow): ReachedTool[] {
  return serversOf(rows, policy).flatMap((server) =>
    server.toolRows
      .filter((row) => {
        const facts = server.tools.find(row.name, null)
        const classes = facts?.depends?.access ?? [row.access]
        return (
          (policy.tool === null || globsMeet(policy.tool, row.name)) &&
          (policy.access === null || classes.includes(policy.access)) &&
          (policy.environment === null || policy.environment === row.environment) &&
          // What it touches may carry a label that the tool itself does not.
          (policy.label === null ||
            facts?.labels.includes(policy.label) === true ||
            row.arguments.length > 0)
        )
      })
      .map((row) => ({ server, row, definition: definitionOf(rows, server, row) })),
  )
}

export const toolReached = (
  rows: TenantRows,
  { server: name, tool }: { readonly server: string; readonly tool: string },
): ReachedTool[] => {
  const server = rows.servers.get(name)
  const row = server?.toolRows.find((one) => one.name === tool)
  if (server === undefined || row === undefined) return []
  return [{ server, row, definition: definitionOf(rows, server, row) }]
}

/** Two patterns may meet where one's beginning and end fit the other's. */
export function globsMeet(one: string, other: string): boolean {
  const [a, b] = [parseGlob(one), parseGlob(other)]
  if (b.exact) return a.matches(other)
  if (a.exact) return b.matches(one)
  const [c, d] = [endOf(one), endOf(other)]
  return (
    (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix)) &&
    (c.endsWith(d) || d.endsWith(c))
  )
}

const endOf = (pattern: string): string => pattern.slice(pattern.lastIndexOf('*') + 1)

/** Read once, however many conditions speak of the tool. */
const definitions = new WeakMap<AuthoredTables, Map<string, JsonObject | null>>()

function definitionOf(
  { tables }: TenantRows,
  { facts }: ServerRows,
  row: ToolRow,
): JsonObject | null {
  const known = definitions.get(tables) ?? new Map(tables.tools.map(readDefinition))
  definitions.set(tables, known)
  return known.get(`${facts.name}/${row.name}`) ?? null
}

function readDefinition({
  server,
  name,
  definition,
}: AuthoredTables['tools'][number]): [string, JsonObject | null] {
  const read = definition === null ? null : readJson(definition)
  return [`${server}/${name}`, read?.ok === true && isJsonObject(read.value) ? read.value : null]
}

/** What the arguments of all these tools may be; null where that of one of them is not known. */
export function inputsOf(tools: readonly ReachedTool[]): readonly InputSchema[] | null {
  const schemas = tools.map(({ definition }) => schemaIn(definition, 'inputSchema'))
  const known = schemas.filter((schema) => schema !== null)
  return known.length === 0 || known.length < schemas.length ? null : known
}

export function schemaIn(definition: JsonObject | null, member: string): InputSchema | null {
  const schema = definition?.[member]
  return isJsonObject(schema) ? new InputSchema(schema) : null
}
