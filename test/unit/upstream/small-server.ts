import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach } from 'vitest'
import { listTools } from '../../../src/upstream/list-tools.ts'

export interface Asked {
  readonly method: string
  readonly http: string
  readonly headers: IncomingMessage['headers']
  readonly params: Record<string, unknown>
  readonly id: number | undefined
}
export type Handler = (asked: Asked, response: ServerResponse, all: readonly Asked[]) => void

export const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A server of a few lines on loopback, which remembers what it was asked. */
export async function serve(handler: Handler): Promise<{ url: URL; asked: Asked[] }> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const message = body === '' ? {} : (JSON.parse(body) as Partial<Asked>)
      const one: Asked = {
        http: request.method ?? '',
        headers: request.headers,
        method: message.method ?? '',
        params: message.params ?? {},
        id: message.id,
      }
      asked.push(one)
      handler(one, response, asked)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`), asked }
}

export const JSON_TYPE = { 'content-type': 'application/json' }
export const send = (
  response: ServerResponse,
  status: number,
  body: string,
  headers = {},
): void => {
  response.writeHead(status, { ...JSON_TYPE, ...headers }).end(body)
}
export const result = (
  response: ServerResponse,
  { id }: Asked,
  value: object,
  headers = {},
): void => send(response, 200, JSON.stringify({ jsonrpc: '2.0', id, result: value }), headers)
export const event = (value: object): string => `event: message\ndata: ${JSON.stringify(value)}\n\n`

/** A modern server, whose answer to `tools/list` the case writes. */
export const modern =
  (list: Handler): Handler =>
  (asked, response, all) => {
    if (asked.method === 'server/discover') {
      result(response, asked, { resultType: 'complete', supportedVersions: ['2026-07-28'] })
    } else list(asked, response, all)
  }

/** A legacy server with a session. */
export const legacy =
  (list: Handler, version = '2025-11-25', session: string | null = 'S-1'): Handler =>
  (asked, response, all) => {
    if (asked.http === 'DELETE') response.writeHead(204).end()
    else if (asked.method === 'initialize') {
      const headers = session === null ? {} : { 'mcp-session-id': session }
      result(response, asked, { protocolVersion: version, capabilities: { tools: {} } }, headers)
    } else if (asked.method === 'notifications/initialized') response.writeHead(202).end()
    else if (asked.method === 'tools/list') list(asked, response, all)
    else send(response, 400, '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no"}}')
  }

export const list = (url: URL, more: Partial<Parameters<typeof listTools>[1]> = {}) =>
  listTools(url, { fetch, timeoutMs: 3_000, ...more })
export const namesOf = (listed: Awaited<ReturnType<typeof listTools>>) =>
  listed.ok ? listed.value.map((tool) => tool['name']) : listed.error
export const pages: Handler = (asked, response) => {
  const page = Number(asked.params['cursor'] ?? 0)
  const next = page < 2 ? { nextCursor: String(page + 1) } : {}
  result(response, asked, { tools: [{ name: `t${page}` }], ...next })
}
