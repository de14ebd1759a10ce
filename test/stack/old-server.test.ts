import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bearing } from '../support/node/client.ts'
import { startTestStack, type TestStack } from '../support/node/stack.ts'
import { quote } from '../../local/sql-client.ts'

/** How servers of the legacy era decline `server/discover`, which they have never heard of. */
const DECLINES: Readonly<Record<string, readonly [status: number, type: string, body: string]>> = {
  'in plain text': [400, 'text/plain', 'Bad Request'],
  'with a page': [404, 'text/html', '<h1>Not Found</h1>'],
  'with nothing': [405, '', ''],
  'in JSON that is no JSON-RPC': [400, 'application/json', '{"detail":"no session"}'],
  'with an id of its own': [
    400,
    'application/json',
    '{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Bad Request"}}',
  ],
  'with no id': [
    400,
    'application/json',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request"}}',
  ],
  'as a method that it does not have': [
    200,
    'application/json',
    '{"jsonrpc":"2.0","id":"<id>","error":{"code":-32601,"message":"Method not found"}}',
  ],
}

let decline = DECLINES['in plain text']

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const { id, method } = JSON.parse(body || '{}') as { id?: unknown; method?: string }
  if (method === 'server/discover') {
    const [status, type, text] = decline ?? [500, '', '']
    response.writeHead(status, type === '' ? {} : { 'content-type': type })
    response.end(text.replace('<id>', String(id)))
    return
  }
  if (id === undefined) return void response.writeHead(202).end()
  const results: Record<string, unknown> = {
    initialize: {
      protocolVersion: '2025-06-18',
      capabilities: { tools: {} },
      serverInfo: { name: 'old', version: '1' },
    },
    'tools/list': { tools: [{ name: 'forecast', inputSchema: { type: 'object' } }] },
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result: results[method ?? ''] ?? {} }))
}

let stack: TestStack
let server: Server
beforeAll(async () => {
  stack = await startTestStack()
  server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = await stack.tap(`http://127.0.0.1:${port}/mcp`)
  await stack.query(`
    INSERT INTO servers (name, tenant, url) VALUES ('old', 'acme', ${quote(url)});
    INSERT INTO tools (tenant, server, name, access) VALUES ('acme', 'old', '*', 'read');
    INSERT INTO policies (tenant, id, effect, agent, server)
    VALUES ('acme', 'old-for-all', 'allow', '*', 'old')`)
})
afterAll(async () => {
  await stack.stop()
  server.close()
})

describe('a client of both eras at a server of the old one', { timeout: 20_000 }, () => {
  it.each(Object.keys(DECLINES))('falls back where it is declined %s', async (how) => {
    decline = DECLINES[how]
    const token = await stack.token({ sub: 'alice', client: 'acme-agent', server: 'old' })
    const options = { versionNegotiation: { mode: 'auto' } } as const
    const client = new Client({ name: 'test', version: '1' }, options)
    await client.connect(new StreamableHTTPClientTransport(stack.endpoint('old'), bearing(token)))
    expect(client.getProtocolEra()).toBe('legacy')
    expect((await client.listTools()).tools).toMatchObject([{ name: 'forecast' }])
    await client.close()
  })
})
