// Pure. What a result of a tool says, in parts that can be read.
import { readJson } from './json.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'

/** Members that say nothing of what was found. */
const FORMAL: ReadonlySet<string> = new Set(['isError', 'resultType'])

/** Everything of a result that says something: as JSON where it is JSON, else undefined. */
export function partsOf(result: JsonObject): readonly (JsonValue | undefined)[] {
  return Object.entries(result).flatMap(([name, value]): (JsonValue | undefined)[] => {
    if (FORMAL.has(name) && (name === 'resultType' || typeof value === 'boolean')) return []
    if (name === 'structuredContent') return [value]
    if (name === 'content' && Array.isArray(value)) {
      return (value as readonly JsonValue[]).map(textAsJson)
    }
    return name === '_meta' && namesServerOnly(value) ? [] : [undefined]
  })
}

/** A block of text that is one JSON object or list (MCP 2025-11-25, server/tools, structured content). */
function textAsJson(block: JsonValue): JsonValue | undefined {
  if (!isJsonObject(block) || block['type'] !== 'text') return undefined
  const { text } = block
  const others = Object.keys(block).some((name) => name !== 'type' && name !== 'text')
  const read = typeof text === 'string' && !others ? readJson(text) : null
  if (read === null || !read.ok) return undefined
  return isJsonObject(read.value) || Array.isArray(read.value) ? read.value : undefined
}

/**
 * Every result of 2026-07-28 may name its server again. Nothing else in `_meta` is looked into, and a
 * name is short.
 */
const namesServerOnly = (meta: JsonValue): boolean =>
  isJsonObject(meta) &&
  Object.entries(meta).every(([name, value]) => name === SERVER_INFO && isShortName(value))

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo'
const MAX_NAME_LENGTH = 100

const isShortName = (info: JsonValue): boolean =>
  isJsonObject(info) &&
  Object.entries(info).every(
    ([name, value]) =>
      ['name', 'title', 'version'].includes(name) &&
      typeof value === 'string' &&
      value.length <= MAX_NAME_LENGTH,
  )
