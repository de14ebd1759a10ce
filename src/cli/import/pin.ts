import { canonicalDefinition } from '../../mcp/definition.ts'
import type { Listed } from '../../mcp/listing.ts'
import type { JsonObject } from '../../mcp/value.ts'
import { sha256 } from '../../sha256.ts'
import { sqlText } from './sql-text.ts'

/** A tool, resource or prompt as it was listed, and what a row of `tools` keeps of that. */
export interface PinnedTool {
  /** In the catalogue. */
  readonly name: string
  readonly tool: JsonObject
  readonly definition: string
  readonly hash: string
}

export const pin = (tool: JsonObject): Promise<PinnedTool> =>
  pinListed({ entry: typeof tool['name'] === 'string' ? tool['name'] : '', definition: tool })

export async function pinListed({ entry, definition }: Listed): Promise<PinnedTool> {
  const text = canonicalDefinition(definition)
  return { name: entry, tool: definition, definition: text, hash: await sha256(text) }
}

/** One statement of D1 holds 100,000 bytes, and there is more in it than this. */
const MAX_DEFINITION_BYTES = 80_000

/** null: too long for one statement. The pin alone still holds; nobody can be shown what changed. */
export function definitionSql({ definition }: PinnedTool): string | null {
  if (definition.length > MAX_DEFINITION_BYTES) return null
  const text = sqlText(definition)
  return bytesOf(text) > MAX_DEFINITION_BYTES ? null : text
}

export const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength

/** In a row of `tools`, `*` stands for any characters: such a name would speak for other tools. */
export const isPattern = ({ name }: PinnedTool): boolean => name.includes('*')
