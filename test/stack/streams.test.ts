import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startTestStack, type TestStack } from '../support/node/stack.ts'

/** A server whose answers a test writes, and which knows when its own caller has gone. */
class SlowServer {
  readonly #server: Server
  /** Calls that are open, and whether whoever made them has gone. */
  readonly calls: { gone: boolean; readonly streams: boolean }[] = []

  constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<SlowServer> {
    const server = createServer((request, response) => {
      void (async () => {
        let text = ''
        for await (const chunk of request) text += String(chunk)
        const streams = text.includes('"streams"')
        const call = { gone: false, streams }
        slow.calls.push(call)
        response.once('close', () => {
          call.gone = true
        })
        if (!streams) return
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
      })()
    })
    const slow = new SlowServer(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return slow
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

let stack: TestStack
let slow: SlowServer
let token: string

beforeAll(async () => {
  stack = await startTestStack()
  slow = await SlowServer.start()
  await stack.query(`
    INSERT INTO servers (name, tenant, url, internal) VALUES ('slow', 'acme', '${await stack.tap(slow.url)}', 1);
    INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'slow', 'work', 'write', 1);
    INSERT INTO policies (tenant, id, effect, agent, server) VALUES ('acme', 'slow', 'allow', '*', 'slow')`)
  token = await stack.token({ sub: 'alice', client: 'acme-agent', server: 'slow' })
})
afterAll(async () => {
  await slow.stop()
  await stack.stop()
})
beforeEach(() => {
  slow.calls.length = 0
})

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

const HEADERS = {
  legacy: {},
  modern: {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'work',
  },
} as const

/** Sends a call and leaves: at once, or when the headers of its stream are there. */
function call(era: 'legacy' | 'modern', kind: 'streams' | 'waits') {
  const params = {
    name: 'work',
    arguments: { kind },
    ...(era === 'modern' ? { _meta: META } : {}),
  }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${token}`,
    ...HEADERS[era],
  }
  const asking = httpRequest(stack.endpoint('slow'), { method: 'POST', headers })
  const answered = new Promise<IncomingMessage>((resolve) => asking.once('response', resolve))
  asking.on('error', () => undefined)
  asking.end(body)
  return { answered, leave: () => asking.destroy() }
}

const arrived = () => vi.waitFor(() => expect(slow.calls).toHaveLength(1), 5_000)

describe('a client that leaves', { timeout: 30_000 }, () => {
  it('a silent stream has cancelled it, in 2026-07-28', async () => {
    const { answered, leave } = call('modern', 'streams')
    const response = await answered
    response.on('error', () => undefined)
    leave()
    await vi.waitFor(() => expect(slow.calls[0]?.gone).toBe(true), 7_000)
  })

  it.each(['waits', 'streams'] as const)(
    'one that %s has not cancelled it before',
    async (kind) => {
      const { answered, leave } = call('legacy', kind)
      await arrived()
      if (kind === 'streams') (await answered).on('error', () => undefined)
      leave()
      await new Promise((resolve) => setTimeout(resolve, 8_000))
      expect(slow.calls[0]?.gone).toBe(false)
    },
  )
})
