import type { Refusal } from '../../../src/pep/refusal.ts'

export type Reason = Refusal['reason']

/** A request that is refused before anything is forwarded, and how. */
export interface Rejection {
  readonly what: string
  readonly ask: Ask
  /** SQL, run before: what makes this very request one that is refused. */
  readonly given?: readonly string[]
  readonly status: number
  /** Of the JSON-RPC error; `tool result` where the model gets to read the refusal. */
  readonly rpc: number | 'tool result'
  readonly code: string
}

/** What differs from a good call of the tool `note`. */
export interface Ask {
  readonly era?: 'legacy' | 'modern'
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  /** Of a modern request, beside or in place of the required ones; undefined leaves one out. */
  readonly meta?: Readonly<Record<string, unknown>>
  /** Beside or in place of the usual ones; an empty one is left out. */
  readonly headers?: Readonly<Record<string, string>>
  /** In place of a message. */
  readonly body?: string | readonly number[]
  readonly verb?: string
  readonly query?: string
  readonly server?: string
  readonly origin?: string
  /** In place of a token, or claims and header members in place of alice's; null sends none. */
  readonly token?: string | null | { readonly claims?: object; readonly header?: object }
}

/** The rejections of a reason; or why it has none here, and where it is tried. */
export type Rows = readonly [Rejection, ...(readonly Rejection[])] | string

/** INVARIANT: a reason that is missing does not compile, so the sheet cannot forget one. */
export type SheetOf<At extends Refusal['at']> = {
  readonly [R in Extract<Refusal, { at: At }>['reason']]: Rows
}

export const ID = 7
const VERSION = '2026-07-28'
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

/** The bytes and headers that such a request consists of. */
export function wireOf(ask: Ask): { body: BodyInit; headers: Record<string, string> } {
  const { era = 'legacy', method = 'tools/call', params = { name: 'note', arguments: {} } } = ask
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientCapabilities': {},
    ...ask.meta,
  }
  const modern = era === 'modern'
  const name = params[NAMED_BY[method] ?? '']
  const body =
    ask.body ??
    JSON.stringify({
      jsonrpc: '2.0',
      id: ID,
      method,
      params: modern ? { ...params, _meta } : params,
    })
  return {
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: {
      ...(modern ? { 'mcp-protocol-version': VERSION, 'mcp-method': method } : {}),
      ...(modern && typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...ask.headers,
    },
  }
}
