// Pure. What a result says, in parts that can be read: of a tool, a resource or a prompt.
import { readJson } from './json.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'

/** Members that say nothing of what was found. */
const FORMAL: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  isError: (value) => typeof value === 'boolean',
  resultType: (value) => typeof value === 'string',
  ttlMs: (value) => typeof value === 'number',
  cacheScope: (value) => value === 'private' || value === 'public',
}

const isFormal = (name: string, value: JsonValue): boolean =>
  Object.hasOwn(FORMAL, name) && FORMAL[name]?.(value) === true

/**
 * What a resource or a prompt says stands in blocks as well, under other names (`contents`,
 * `messages`): here in the form of a tool's, and nothing is left out.
 */
export function inBlocksOfContent(result: JsonObject): JsonObject {
  const { contents, messages, ...rest } = result
  if ('content' in result) return result
  if (Array.isArray(contents) && messages === undefined) {
    return withContent(rest, (contents as readonly JsonValue[]).map(blockOfResource))
  }
  if (Array.isArray(messages) && contents === undefined) {
    return withContent(rest, (messages as readonly JsonValue[]).flatMap(blocksOfMessage))
  }
  return result
}

const withContent = (rest: JsonObject, content: readonly JsonValue[]): JsonObject =>
  Object.assign(Object.create(null) as JsonObject, rest, { content })

const blockOfResource = (content: JsonValue): JsonValue => ({ type: 'resource', resource: content })

function blocksOfMessage(message: JsonValue): readonly JsonValue[] {
  if (!isJsonObject(message)) return [message]
  const { role, content, ...rest } = message
  const isPlain = (role === 'user' || role === 'assistant') && Object.keys(rest).length === 0
  return isPlain && content !== undefined ? [content] : [message]
}

/** Everything of a result that says something: as JSON where it is JSON, else undefined. */
export function partsOf(result: JsonObject): readonly (JsonValue | undefined)[] {
  return Object.entries(result).flatMap(([name, value]): (JsonValue | undefined)[] => {
    if (isFormal(name, value)) return []
    if (name === 'structuredContent') return [value]
    const list = Array.isArray(value) ? (value as readonly JsonValue[]) : null
    if (name === 'content' && list !== null) return list.map(textOfBlock).map(asJson)
    if (name === 'contents' && list !== null) return list.map(textOfResource).map(asJson)
    if (name === 'messages' && list !== null) {
      return list.flatMap(blocksOfMessage).map(textOfBlock).map(asJson)
    }
    return name === '_meta' && namesServerOnly(value) ? [] : [undefined]
  })
}

/** A text that is one JSON object or list (MCP 2025-11-25, server/tools, structured content). */
function asJson(text: string | null): JsonValue | undefined {
  const read = text === null ? null : readJson(text)
  if (read === null || !read.ok) return undefined
  return isJsonObject(read.value) || Array.isArray(read.value) ? read.value : undefined
}

/** null: there is more to it than its text. */
function textOfBlock(block: JsonValue): string | null {
  if (!isJsonObject(block)) return null
  const { type, text, ...rest } = block
  return type === 'text' && typeof text === 'string' && Object.keys(rest).length === 0 ? text : null
}

/** Where it is was asked for; of which media type it is names no other one. */
function textOfResource(content: JsonValue): string | null {
  if (!isJsonObject(content)) return null
  const { uri = '', mimeType = '', text, ...rest } = content
  const isPlain = isShort(uri) && isShort(mimeType) && Object.keys(rest).length === 0
  return isPlain && typeof text === 'string' ? text : null
}

const isShort = (value: JsonValue): boolean => typeof value === 'string' && value.length <= 256

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
