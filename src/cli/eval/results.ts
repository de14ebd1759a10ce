// The texts of recorded results, read once for each tool that answered with them.
import { findOrigins, type Found } from '../../pdp/provenance/fields.ts'
import { isRow, readLines, textIn } from './lines.ts'
import type { MappedTool } from './maps.ts'
import { readResult } from './result.ts'

export interface RecordedResults {
  /** null: there is no such text. */
  found(hash: string, tool: MappedTool): Found | null
}

export function readResults(file: string): RecordedResults {
  const texts = new Map<string, string>()
  for (const row of readLines(file)) {
    const hash = isRow(row) ? textIn(row, 'h') : null
    if (isRow(row) && hash !== null) texts.set(hash, textIn(row, 't') ?? '')
  }
  return resultsOf(texts)
}

export function resultsOf(texts: ReadonlyMap<string, string>): RecordedResults {
  const read = new Map<string, ReturnType<typeof readResult>>()
  const found = new Map<string, Found>()
  return {
    found: (hash, tool) => {
      const text = texts.get(hash)
      if (text === undefined) return null
      const key = `${tool.server}\n${tool.tool}\n${hash}`
      const known = found.get(key)
      if (known !== undefined) return known
      const result = read.get(hash) ?? readResult(text)
      read.set(hash, result)
      const value = findOrigins(result, tool.origins)
      found.set(key, value)
      return value
    },
  }
}
