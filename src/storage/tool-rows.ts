import { parsePointer } from '../mcp/pointer.ts'
import type { ToolFlows } from '../pdp/flows.ts'
import { PASSED } from '../pdp/provenance/passed.ts'
import type { ResourceForm } from '../pdp/resource-name.ts'
import { parseField, type ResourceField } from '../pdp/resources.ts'
import type { ToolRow } from '../pdp/tools.ts'
import type { TenantTables } from './tenant-tables.ts'

type ToolTables = Pick<
  TenantTables,
  'tools' | 'toolAccess' | 'toolLabels' | 'resourceTypes' | 'toolArguments' | 'toolResults'
>

/** Each tool with the rows that belong to it, by server. */
export function toolRowsByServer(tables: ToolTables): ReadonlyMap<string, readonly ToolRow[]> {
  const access = Map.groupBy(tables.toolAccess, keyOf)
  const labels = Map.groupBy(tables.toolLabels, keyOf)
  const inArguments = Map.groupBy(tables.toolArguments, keyOf)
  const inResults = Map.groupBy(tables.toolResults, keyOf)
  const forms = formsOf(tables.resourceTypes)
  const field = (row: TenantTables['toolResults'][number]): ResourceField => {
    const { resourceType: name, optional, unlisted } = row
    const form = forms.get(name ?? '') ?? 'exact'
    return parseField(row.pointer, {
      type: name === null ? null : { name, form },
      optional,
      unlisted,
    })
  }
  const rows = tables.tools.map((tool) => {
    const key = keyOf({ server: tool.server, tool: tool.name })
    const { definitionHash: hash, pinnedAt } = tool
    const row: ToolRow = {
      name: tool.name,
      access: tool.access,
      environment: tool.environment,
      requiredScope: tool.requiredScope,
      labelsReviewed: tool.labelsReviewed,
      pin: hash === null ? null : { hash, pinnedAt },
      labels: (labels.get(key) ?? []).map(({ label, condition }) => ({ label, condition })),
      accessWhen: (access.get(key) ?? []).map((one) => ({
        access: one.access,
        condition: one.condition,
      })),
      // An argument that has a role only names nothing that is looked up.
      arguments: (inArguments.get(key) ?? [])
        .filter(({ resourceType }) => resourceType !== null)
        .map(field),
      results: (inResults.get(key) ?? []).map(field),
    }
    return { server: tool.server, row }
  })
  return new Map(
    [...Map.groupBy(rows, ({ server }) => server)].map(([server, grouped]) => [
      server,
      grouped.map(({ row }) => row),
    ]),
  )
}

/** What the rows of each tool say of flows of data, by server and by the row's own name. */
export function toolFlowsByServer({
  resourceTypes,
  toolArguments,
  toolOrigins,
}: Pick<TenantTables, 'resourceTypes' | 'toolArguments' | 'toolOrigins'>): ReadonlyMap<
  string,
  ReadonlyMap<string, ToolFlows>
> {
  const forms = formsOf(resourceTypes)
  const roles = Map.groupBy(toolArguments, keyOf)
  const origins = Map.groupBy(toolOrigins, keyOf)
  const flows = new Map<string, Map<string, ToolFlows>>()
  for (const { server, tool } of [...toolArguments, ...toolOrigins]) {
    const key = keyOf({ server, tool })
    const tools = flows.get(server) ?? new Map<string, ToolFlows>()
    flows.set(server, tools)
    if (tools.has(tool)) continue
    tools.set(tool, {
      // INVARIANT: rules that count or group by a kind of thing find it, whether it has a role or not.
      roles: (roles.get(key) ?? []).map(({ pointer, role, resourceType }) => ({
        pointer: parsePointer(pointer),
        role: role ?? PASSED,
        resourceType,
        form: resourceType === null ? null : (forms.get(resourceType) ?? 'exact'),
      })),
      origins: (origins.get(key) ?? []).map(({ pointer, resourceType, authority }) => ({
        pointer,
        resourceType,
        authority,
      })),
    })
  }
  return flows
}

const formsOf = (types: TenantTables['resourceTypes']): ReadonlyMap<string, ResourceForm> =>
  new Map(types.map(({ name, form }) => [name, form]))

const keyOf = ({ server, tool }: { readonly server: string; readonly tool: string }): string =>
  JSON.stringify([server, tool])
