import { post, type CallOptions } from './world.ts'

const MODERN = '2026-07-28'
const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
}

/** What a client can do that takes part in everything. */
export const ABLE = {
  elicitation: { form: {}, url: {} },
  sampling: {},
  roots: {},
  extensions: { 'io.modelcontextprotocol/tasks': {} },
}

export interface ModernOptions extends CallOptions {
  readonly capabilities?: unknown
}

let nextId = 1

/** One request of the modern era with its envelope and the headers that copy it. */
export function ask(
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  { capabilities = ABLE, headers, ...options }: ModernOptions = {},
): Promise<Response> {
  const name = params['name'] ?? params['uri'] ?? params['taskId']
  const _meta = { [META.version]: MODERN, [META.capabilities]: capabilities }
  const body = { jsonrpc: '2.0', id: (nextId += 1), method, params: { ...params, _meta } }
  return post(JSON.stringify(body), {
    ...options,
    headers: {
      'mcp-protocol-version': MODERN,
      'mcp-method': method,
      ...(typeof name === 'string' && NAMED.has(method) ? { 'mcp-name': name } : {}),
      ...headers,
    },
  })
}

const NAMED = new Set([
  'tools/call',
  'prompts/get',
  'resources/read',
  'tasks/get',
  'tasks/update',
  'tasks/cancel',
])

export interface Reply {
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly data?: Readonly<Record<string, unknown>> }
}

export const reply = async (response: Promise<Response> | Response): Promise<Reply> =>
  (await (await response).json()) as Reply
