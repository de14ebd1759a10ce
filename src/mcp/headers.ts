// Pure. Headers are copies of the body (MCP 2026-07-28, basic/transports/streamable-http; SEP-2243).
// The body decides; a copy that disagrees would fool a peer that reads it, so it is refused.
import type { Message } from './message.ts'
import type { Era, MessageRefusal } from './refusal.ts'
import { decodeHeaderValue } from './sentinel.ts'
import { isJsonObject, type JsonObject } from './value.ts'

/** As they arrived; null where absent. Repeated headers arrive joined by `, ` and equal nothing. */
export interface MessageHeaders {
  readonly protocolVersion: string | null
  readonly method: string | null
  readonly name: string | null
  /** `Mcp-Param-*`, by lower-case name. */
  readonly parameters: ReadonlyMap<string, string>
}

type HeaderMismatch = Extract<MessageRefusal, { reason: 'header_mismatch' }>

/** Optional whitespace around a field value is no part of it (RFC 9110 §5.5). */
export const fieldValue = (header: string | null): string | null =>
  header === null ? null : header.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')

/**
 * Modern requests must carry the copies; legacy messages need not, and for notifications over HTTP
 * the modern era defines nothing. There a copy must only be true.
 */
const mustCopy = (message: Message, era: Era): boolean =>
  era === 'modern' && message.kind === 'request'

export function checkMethodHeader(
  message: Message,
  era: Era,
  headers: MessageHeaders,
): HeaderMismatch | null {
  const method = fieldValue(headers.method)
  if (method === null) return mustCopy(message, era) ? mismatch('Mcp-Method', 'missing') : null
  return method === message.method ? null : mismatch('Mcp-Method', 'is not the method of the body')
}

/** `name`: what the header copies; null where the body has nothing that it could copy. */
export function checkNameHeader(
  message: Message,
  name: string | null,
  era: Era,
  headers: MessageHeaders,
): HeaderMismatch | null {
  const copy = fieldValue(headers.name)
  if (copy === null) {
    return name !== null && mustCopy(message, era) ? mismatch('Mcp-Name', 'missing') : null
  }
  const decoded = decodeHeaderValue(copy)
  if (decoded === null) return mismatch('Mcp-Name', 'is not a well-formed value')
  return decoded === name ? null : mismatch('Mcp-Name', 'is not the name in the body')
}

/**
 * Copies of arguments. Which argument a header copies is said by the tool's schema; but an honest
 * copy is always some value of the arguments, reached through members alone, so that much holds
 * without one.
 */
export function checkParameterHeaders(
  given: JsonObject | null,
  headers: MessageHeaders,
): HeaderMismatch | null {
  if (headers.parameters.size === 0) return null
  const values = new Set(given === null ? [] : scalarsOf(given))
  const texts = new Set([...values].map(String))
  for (const [header, copy] of headers.parameters) {
    const decoded = decodeHeaderValue(fieldValue(copy) ?? '')
    if (decoded === null) return mismatch(header, 'is not a well-formed value')
    if (!texts.has(decoded) && !(INTEGER.test(decoded) && values.has(Number(decoded)))) {
      return mismatch(header, 'is not an argument in the body')
    }
  }
  return null
}

/** Compared as numbers; booleans are `true` and `false`. */
const INTEGER = /^-?[0-9]{1,16}(?:\.0{1,16})?$/

/** Of a message without a method, or without a body. */
export function checkNoCopies({ method, name, parameters }: MessageHeaders): HeaderMismatch | null {
  const [parameter = null] = parameters.keys()
  const header = method !== null ? 'Mcp-Method' : name !== null ? 'Mcp-Name' : parameter
  return header === null ? null : mismatch(header, 'has nothing in the body that it could copy')
}

type Scalar = string | number | boolean

/** Lists are not copied into headers. */
function scalarsOf(value: JsonObject): Scalar[] {
  return Object.values(value).flatMap((member) => {
    if (isJsonObject(member)) return scalarsOf(member)
    return typeof member === 'string' || typeof member === 'number' || typeof member === 'boolean'
      ? [member]
      : []
  })
}

export const mismatch = (header: string, detail: string): HeaderMismatch => ({
  at: 'understand',
  reason: 'header_mismatch',
  header,
  detail,
})
