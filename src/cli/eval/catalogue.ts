// Tool catalogues, in the three shapes that recorded sets come with: by suite, one suite alone, and a
// list of tools that name their server.
import { basename } from 'node:path'
import type { JsonObject } from '../../mcp/value.ts'
import { Mistake } from '../mistake.ts'
import { isRow, readJson, textIn, type Row } from './lines.ts'

export interface Catalogue {
  /** undefined: the catalogue has no such tool. */
  find(server: string, tool: string): JsonObject | undefined
}

export const readCatalogue = (file: string): Catalogue => catalogueOf(readJson(file), file)

export function catalogueOf(document: unknown, file: string): Catalogue {
  const tools = new Map<string, JsonObject>()
  const add = (server: string, tool: Row): void => {
    tools.set(`${server}\n${textIn(tool, 'name') ?? ''}`, tool as JsonObject)
  }
  // `tau-airline-tools.json` is the catalogue of the suite `tau-airline`.
  const suite = basename(file)
    .replace(/\.gz$/, '')
    .replace(/(?:-tools)?\.json$/, '')
  if (Array.isArray(document)) {
    for (const tool of document.filter(isRow)) add(textIn(tool, 'server') ?? suite, tool)
  } else if (isRow(document) && isRow(document['suites'])) {
    for (const [server, list] of Object.entries(document['suites'])) {
      for (const tool of Array.isArray(list) ? list.filter(isRow) : []) add(server, tool)
    }
  } else if (isRow(document) && Array.isArray(document['tools'])) {
    for (const tool of document['tools'].filter(isRow)) add(textIn(tool, 'server') ?? suite, tool)
  }
  if (tools.size === 0) throw new Mistake(`\`${file}\` is no catalogue of tools`)
  return { find: (server, tool) => tools.get(`${server}\n${tool}`) }
}
