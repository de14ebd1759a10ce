// What the cell sheets of `understand` are written in: messages, headers, and the shape of a row.
import type { MessageHeaders } from '../../../src/mcp/headers.ts'
import { readJson } from '../../../src/mcp/json.ts'
import { understand } from '../../../src/mcp/understand.ts'
import type { JsonValue } from '../../../src/mcp/value.ts'

export const VERSION = 'io.modelcontextprotocol/protocolVersion'
export const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
export const MODERN_META = { [VERSION]: '2026-07-28', [CAPABILITIES]: {} }
export const MODERN = '2026-07-28'

export type Members = Readonly<Record<string, unknown>>

export const request = (method: unknown, params?: unknown, more: Members = {}): Members => ({
  jsonrpc: '2.0',
  id: 7,
  method,
  ...(params === undefined ? {} : { params }),
  ...more,
})
export const notification = (method: string, params?: unknown): Members => {
  const { id: _, ...rest } = request(method, params)
  return rest
}
export const modern = (method: string, params: Members = {}, meta: Members = {}): Members =>
  request(method, { ...params, _meta: { ...MODERN_META, ...meta } })
/** Headers: version, method, name. */
export const headers = (version?: string, method?: string, name?: string): MessageHeaders => ({
  protocolVersion: version ?? null,
  method: method ?? null,
  name: name ?? null,
  parameters: new Map(),
})

export const NONE = headers()
export const CALL = { name: 'send', arguments: { to: 'a' } }
export const CALL_HEADERS = headers(MODERN, 'tools/call', 'send')
export const LIST_HEADERS = headers(MODERN, 'tools/list')

export function parse(value: unknown): JsonValue {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const read = readJson(text)
  if (!read.ok) throw new Error(read.error.detail)
  return read.value
}

export type Cell = readonly [
  rationale: string,
  body: unknown,
  headers: MessageHeaders,
  expected: Members,
]

/** What `understand` makes of a cell. Every refusal keeps the id of its message, if that was one. */
export function refused([, body, given, { id = 7, era, ...refusal }]: Cell) {
  const expected = { refusal, id, ...(era === undefined ? {} : { era }) }
  return { actual: understand(parse(body), given), expected: { ok: false, error: expected } }
}
