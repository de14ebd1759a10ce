// Pure. How many rows one message of an upstream may hold at most.
import { canonical } from './canonical.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'

/** A record with more fields than these may be a table, with a row for each name. */
const MOST_FIELDS = 64
const DEEPEST = 32

/** One block of a result: what it says as text, and as JSON where that is what it is. */
export interface Block {
  readonly block: JsonValue
  readonly text: string
  readonly json: JsonValue | undefined
}

/**
 * INVARIANT: never fewer rows than there are, wherever they stand: in structured content, in the text
 * beside it, in members that nobody knows. Each element of a list, each object in an object and each
 * line of a text may be one; of plain text, where nothing says what a row is, every second letter. What
 * only says again what the structured content says is not counted twice.
 *
 * Of a text inside of JSON the lines are counted, whatever else may part it.
 *
 * null: more than can be told.
 */
export function rowsIn(result: JsonObject, blocks: readonly Block[]): number | null {
  const { structuredContent } = result
  const lists = blocks.flatMap(({ json }) => (json === undefined ? [] : [json]))
  const counted = structuredContent !== undefined && repeats(blocks, structuredContent) ? [] : lists
  const said: JsonValue[] = [...counted]
  let rows = counted.length > 1 ? counted.length : 0
  for (const { text, json } of blocks) if (json === undefined) rows += rowsOfText(text)
  const members = Object.entries(result).filter(([name, value]) => !isBlocks(name, value))
  for (const [name, value] of [...members, ...blocks.flatMap(({ block }) => beside(block))]) {
    if (typeof value !== 'string') said.push(value)
    else if (!FORMAL.has(name)) rows += rowsOfText(value)
  }
  const names = new Set<string>()
  for (const value of said) {
    const more = countRows(value, names, 0)
    if (more === null) return null
    rows += more
  }
  const least = structuredContent !== undefined || lists.length > 0 ? 1 : 0
  return Math.max(least, rows + Math.max(0, names.size - MOST_FIELDS))
}

export const rowsOfText = (text: string): number => Math.ceil(text.trim().length / 2)

/**
 * Structured content comes as text as well, for older clients (MCP 2025-11-25, server/tools, structured
 * content): whole, or the list in it with a block for each element.
 */
function repeats(blocks: readonly Block[], structured: JsonValue): boolean {
  const all = blocks.map(({ json }) => json)
  const [first] = all
  if (first === undefined || all.includes(undefined)) return false
  if (all.length === 1 && canonical(first) === canonical(structured)) return true
  const [inner, ...others] = isJsonObject(structured) ? Object.values(structured) : [structured]
  return (
    inner !== undefined && others.length === 0 && canonical(inner) === canonical(all as JsonValue[])
  )
}

const isBlocks = (name: string, value: JsonValue): boolean =>
  name === 'content' && Array.isArray(value)

/** What a block carries besides its text: `_meta`, annotations, members that nobody knows. */
function beside(block: JsonValue): readonly (readonly [string, JsonValue])[] {
  if (!isJsonObject(block)) return [['', block]]
  const { resource, text: _, ...rest } = block
  if (!isJsonObject(resource)) return Object.entries({ ...rest, ...(resource && { resource }) })
  const { text: __, ...inner } = resource
  return [...Object.entries(rest), ...Object.entries(inner)]
}

/** Names of members whose texts say what something is, and hold nothing of it. */
const FORMAL: ReadonlySet<string> = new Set(['resultType', 'type', 'mimeType', 'uri'])

function countRows(value: JsonValue, names: Set<string>, depth: number): number | null {
  if (depth > DEEPEST) return null
  if (typeof value === 'string') return value.trim().split('\n').length - 1
  if (isJsonObject(value)) for (const name of Object.keys(value)) names.add(name)
  const inner = Array.isArray(value)
    ? (value as readonly JsonValue[])
    : isJsonObject(value)
      ? Object.values(value)
      : []
  let rows = Array.isArray(value) ? inner.length : inner.filter((one) => isJsonObject(one)).length
  for (const one of inner) {
    const below = countRows(one, names, depth + 1)
    if (below === null) return null
    rows += below
  }
  return rows
}
