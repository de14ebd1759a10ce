// What is known of the tools of a recorded set: the maps in `examples/evaluation`, and for a tool
// without one what `policy import` would suggest.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../mcp/value.ts'
import { parsePointer } from '../../mcp/pointer.ts'
import type { RoleRow } from '../../pdp/provenance/arguments.ts'
import type { OriginRow } from '../../pdp/provenance/fields.ts'
import { ACCESS, type Access } from '../../pdp/evaluation.ts'
import { classify } from '../../pdp/tool-class.ts'
import { suggest } from '../import/suggest.ts'
import { Mistake } from '../mistake.ts'
import type { Catalogue } from './catalogue.ts'
import { isRow, listIn, readJson, textIn, textsIn, type Row } from './lines.ts'

export const EXAMPLES = new URL('../../../examples/evaluation/', import.meta.url).pathname

export interface MappedTool {
  readonly server: string
  readonly tool: string
  /** The class of one call, and its labels. */
  access(args: JsonObject): Access
  labels(args: JsonObject): readonly string[]
  readonly roles: readonly RoleRow[]
  readonly origins: readonly OriginRow[]
}

export interface ToolMaps {
  /** undefined: neither a map nor the catalogue has this tool. */
  find(server: string, tool: string): MappedTool | undefined
  ownDomains(server: string): readonly string[]
}

export function toolMaps(catalogue: Catalogue, folder = EXAMPLES): ToolMaps {
  const stored = new Map<string, ServerMap | null>()
  const serverMap = (server: string): ServerMap | null => {
    const known = stored.get(server)
    if (known !== undefined) return known
    const read = /^[a-z0-9-]{1,63}$/.test(server) ? readServerMap(folder, server) : null
    stored.set(server, read)
    return read
  }
  const suggested = new Map<string, MappedTool | undefined>()
  return {
    ownDomains: (server) => serverMap(server)?.ownDomains ?? [],
    find: (server, tool) => {
      const mapped = serverMap(server)?.tools.get(tool)
      if (mapped !== undefined) return mapped
      const key = `${server}\n${tool}`
      if (!suggested.has(key)) {
        const listed = catalogue.find(server, tool)
        suggested.set(key, listed === undefined ? undefined : suggestedTool(server, tool, listed))
      }
      return suggested.get(key)
    },
  }
}

interface ServerMap {
  readonly ownDomains: readonly string[]
  readonly tools: ReadonlyMap<string, MappedTool>
}

function readServerMap(folder: string, server: string): ServerMap | null {
  const file = join(folder, `${server}.json`)
  if (!existsSync(file)) return null
  const document = readJson(file)
  if (!isRow(document)) throw new Mistake(`\`${file}\` is no map of a server's tools`)
  const tools = listIn(document, 'tools')
    .filter(isRow)
    .map((row) => mappedTool(server, row, file))
  return {
    ownDomains: textsIn(document, 'own_domains'),
    tools: new Map(tools.map((tool) => [tool.tool, tool])),
  }
}

function mappedTool(server: string, row: Row, file: string): MappedTool {
  const tool = textIn(row, 'tool')
  const access = ACCESS.find((one) => one === row['access'])
  if (tool === null || access === undefined)
    throw new Mistake(`\`${file}\` has a row without tool or access`)
  const conditions = isRow(row['label_conditions']) ? row['label_conditions'] : {}
  return toolOf(server, tool, {
    access,
    labels: textsIn(row, 'labels').map((label) => ({
      label,
      condition: textIn(conditions, label),
    })),
    roles: listIn(row, 'arguments').map((entry) => {
      const [pointer, role, type] = textsOf(entry, file)
      return { pointer: parsePointer(pointer), role, resourceType: type ?? null }
    }),
    origins: listIn(row, 'origins').map((entry) => {
      const [pointer, type, authority] = textsOf(entry, file)
      if (authority !== 'system' && authority !== 'listed' && authority !== 'claimed') {
        throw new Mistake(`\`${file}\`: \`${pointer}\` of \`${tool}\` has no authority`)
      }
      return { pointer, resourceType: type, authority }
    }),
  })
}

function textsOf(entry: unknown, file: string): readonly [string, string, string?] {
  if (!Array.isArray(entry) || !entry.every((one) => typeof one === 'string') || entry.length < 2) {
    throw new Mistake(`\`${file}\` has an entry that is no list of texts`)
  }
  return entry as unknown as [string, string, string?]
}

/** As a person would apply it who has reviewed nothing but takes every suggestion. */
function suggestedTool(server: string, tool: string, listed: JsonObject): MappedTool {
  const { access, labels, arguments: found } = suggest(listed)
  return toolOf(server, tool, {
    access,
    labels: labels.map((label) => ({ label, condition: null })),
    roles: found.map(({ pointer, role }) => ({
      pointer: parsePointer(pointer),
      role,
      resourceType: null,
    })),
    origins: [],
  })
}

interface ToolRows {
  readonly access: Access
  readonly labels: readonly { readonly label: string; readonly condition: string | null }[]
  readonly roles: readonly RoleRow[]
  readonly origins: readonly OriginRow[]
}

/** Classified by the product, of a server inside the organisation whose labels were reviewed. */
function toolOf(server: string, tool: string, rows: ToolRows): MappedTool {
  const { access, labels } = classify(
    {
      name: tool,
      access: rows.access,
      environment: 'production',
      requiredScope: '',
      labelsReviewed: true,
      pin: null,
      labels: rows.labels,
      accessWhen: [],
      arguments: [],
      results: [],
    } as unknown as Parameters<typeof classify>[0],
    true,
  )
  return { server, tool, access, labels, roles: rows.roles, origins: rows.origins }
}
