import { describe, expect, it } from 'vitest'
import { canonicalDefinition } from '../../../src/mcp/definition.ts'
import { startNewServer } from '../../support/node/mcp-server.ts'
import {
  closing,
  event,
  legacy,
  list,
  modern,
  namesOf,
  pages,
  send,
  serve,
} from './small-server.ts'

describe('a modern server', () => {
  it('is asked without a handshake, page by page', async () => {
    const { url, asked } = await serve(modern(pages))
    expect(namesOf(await list(url, { headers: { authorization: 'Bearer T' } }))).toEqual(
      't0 t1 t2'.split(' '),
    )
    expect(asked.map(({ method }) => method)).toEqual(
      'server/discover tools/list tools/list tools/list'.split(' '),
    )
    for (const { headers, params, method } of asked) {
      expect(headers).toMatchObject({
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        'accept-encoding': 'identity',
        authorization: 'Bearer T',
      })
      expect(params['_meta']).toMatchObject({
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
      })
    }
  })

  it('may answer with a stream, comments and notices before the answer', async () => {
    const { url } = await serve(
      modern((asked, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
        response.write(': ka\n\nid: 1\ndata:\n\n')
        response.write(event({ jsonrpc: '2.0', method: 'notifications/message', params: {} }))
        // It stays open: nobody waits for its end.
        response.write(event({ jsonrpc: '2.0', id: asked.id, result: { tools: [{ name: 'a' }] } }))
      }),
    )
    expect(namesOf(await list(url))).toEqual(['a'])
  })
})

describe('a legacy server', () => {
  it.each(['2025-11-25', '2025-06-18', '2025-03-26'])(
    'of %s is greeted, asked in its session, and left',
    async (version) => {
      const { url, asked } = await serve(legacy(pages, version))
      expect(namesOf(await list(url))).toEqual('t0 t1 t2'.split(' '))
      expect(asked.map(({ http, method }) => `${http} ${method}`.trim())).toEqual([
        'POST server/discover',
        'POST initialize',
        'POST notifications/initialized',
        'POST tools/list',
        'POST tools/list',
        'POST tools/list',
        'DELETE',
      ])
      expect(asked[1]?.headers['mcp-protocol-version']).toBeUndefined()
      for (const { headers, params } of asked.slice(2)) {
        expect(headers).toMatchObject({ 'mcp-protocol-version': version, 'mcp-session-id': 'S-1' })
        expect(headers['mcp-method']).toBeUndefined()
        expect(params['_meta']).toBeUndefined()
      }
    },
  )

  it('may have no session: then there is nothing to leave', async () => {
    const { url, asked } = await serve(legacy(pages, '2025-06-18', null))
    expect(namesOf(await list(url))).toHaveLength(3)
    expect(asked.some(({ http }) => http === 'DELETE')).toBe(false)
  })

  it('is left even where the listing fails, and its silence then delays nobody', async () => {
    const handler = legacy((_, response) => send(response, 200, '{}'))
    const { url, asked } = await serve((one, response, all) => {
      if (one.http !== 'DELETE') handler(one, response, all)
    })
    const startedAt = Date.now()
    expect(namesOf(await list(url))).toBe('the answer is not JSON-RPC 2.0')
    expect(asked.at(-1)?.http).toBe('DELETE')
    expect(Date.now() - startedAt).toBeLessThan(2_000)
  })

  it('that speaks no version of ours is not listed', async () => {
    const { url } = await serve(legacy(pages, '2024-11-05'))
    expect(namesOf(await list(url))).toMatch(/speaks no version/)
  })
})

describe('the era', () => {
  it.each([
    [200, '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"x"}}', 'an error with 200'],
    [400, 'Bad Request', 'any 4xx'],
    [404, '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"x"}}', 'an unknown method'],
    [
      400,
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"x","data":{"supported":["2025-11-25"]}}}',
      'an unknown version',
    ],
    [
      200,
      '{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":["2025-11-25"]}}',
      'an introduction without ours',
    ],
    [405, '', 'a method of HTTP that it does not know'],
  ])('is legacy after %i %s: %s', async (status, body, _why) => {
    const handler = legacy(pages)
    const { url } = await serve((asked, response, all) => {
      if (asked.method === 'server/discover') send(response, status, body)
      else handler(asked, response, all)
    })
    expect(namesOf(await list(url))).toEqual('t0 t1 t2'.split(' '))
  })

  it.each([401, 403, 407, 500, 503, 302, 307])(
    'is not asked about again after %i',
    async (status) => {
      const { url, asked } = await serve((_, response) =>
        send(response, status, 'secret T', { location: 'http://127.0.0.1:1/' }),
      )
      const listed = await list(url, { headers: { authorization: 'Bearer T-secret' } })
      expect(listed.ok).toBe(false)
      expect(asked).toHaveLength(1)
      expect(JSON.stringify(listed)).not.toContain('secret')
    },
  )

  it('does not show in the pin of a tool', async () => {
    const server = await startNewServer()
    closing.push(() => server.stop())
    const withoutDiscovery: typeof fetch = (input, init) =>
      typeof init?.body === 'string' && init.body.includes('server/discover')
        ? Promise.resolve(new Response(null, { status: 404 }))
        : fetch(input, init)
    const [one, other] = [
      await list(new URL(server.url)),
      await list(new URL(server.url), { fetch: withoutDiscovery }),
    ]
    if (!one.ok || !other.ok) throw new Error('both were to be listed')
    expect(one.value.map(canonicalDefinition)).toEqual(other.value.map(canonicalDefinition))
    expect(one.value).toHaveLength(1)
  })
})
