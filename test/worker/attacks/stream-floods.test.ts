import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import { ChangeWatch } from '../../../src/durable-objects/change-watch.ts'
import { SESSION_PROTOCOL } from '../../../src/durable-objects/session-protocol.ts'
import { readState } from '../../../src/storage/freshness.ts'
import {
  EventReader,
  initialized,
  LegacyServer,
  listen,
  within,
} from '../../support/worker/legacy-server.ts'
import {
  behaviour,
  inThisWorld,
  newUser,
  sql,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const SECRET = 'what-must-not-pass'
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('questions that wait', () => {
  it(
    '10,000 of them, which nobody waits for any more, cost a few readings and are gone in seconds',
    { timeout: 30_000 },
    async () => {
      const state = (await readState(env.DB, 'acme')) ?? ''
      const reads = await runInDurableObject(
        env.SESSIONS.getByName(crypto.randomUUID()),
        async () => {
          const spy = vi.spyOn(env.DB, 'withSession')
          const watch = new ChangeWatch(env.DB)
          const question = (n: number) => {
            const actorKey = `actor-${n % 100}`
            return {
              version: SESSION_PROTOCOL,
              tenant: 'acme',
              actorKey,
              state,
              wait: true,
            } as const
          }
          const began = Date.now()
          const answers = await Promise.all(
            Array.from({ length: 10_000 }, (_, n) => watch.ask(question(n))),
          )
          expect(new Set(answers)).toEqual(new Set(['same']))
          expect(Date.now() - began).toBeLessThan(7_000)
          const during = spy.mock.calls.length
          await wait(1_200)
          // Nobody asks, so nobody looks.
          expect(spy.mock.calls.length).toBe(during)
          return during
        },
      )
      expect(reads).toBeLessThan(16)
    },
  )
})

describe('what one actor has open', () => {
  it('is bounded, and another actor of the same person is not in its way', async () => {
    const state = (await readState(env.DB, 'acme')) ?? ''
    await runInDurableObject(env.SESSIONS.getByName(crypto.randomUUID()), async () => {
      const watch = new ChangeWatch(env.DB)
      const ask = (actorKey: string) =>
        watch.ask({ version: SESSION_PROTOCOL, tenant: 'acme', actorKey, state, wait: true })
      const first = Array.from({ length: 128 }, () => ask('loud'))
      await wait(100)
      expect(await ask('loud')).toBe('crowded')
      const other = ask('quiet')
      expect(new Set(await Promise.all([...first, other]))).toEqual(new Set(['same']))
      expect(await Promise.race([ask('loud'), wait(100)])).toBeUndefined()
    })
  }, 15_000)
})

describe('what a server sends without end', () => {
  it.each([
    ['comments', ':\n\n'],
    ['empty data', 'data:\n\n'],
    ['notices that do not pass', 'data: {"jsonrpc":"2.0","method":"x/y"}\n\n'],
  ])('100,000 %s do not keep the answer', { timeout: 60_000 }, async (_, piece) => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const response = await within(client, toolCall('note'))
    const [stream] = server.streams
    for (let n = 0; n < 100; n += 1) stream!.raw(piece.repeat(1_000))
    stream!.answer({ content: [] })
    expect(await response.text()).toContain('"result"')
  })

  it('a byte at a time passes as a whole', async () => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const events = new EventReader(await within(client, toolCall('note')))
    const [stream] = server.streams
    const { id } = stream!.request.message!
    const text = `data: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } })}\n\n`
    for (const letter of text) stream!.raw(letter)
    expect(await events.message()).toMatchObject({ result: { content: [] } })
  })
})

describe('the id that a server gives its session', () => {
  const handshake = async (headers: Headers) => {
    behaviour.upstream = async (request) => {
      const { id } = JSON.parse(await request.text()) as { id: number }
      const result = {
        protocolVersion: '2025-11-25',
        capabilities: {},
        serverInfo: { name: 'c', version: '1' },
      }
      return Response.json({ jsonrpc: '2.0', id, result }, { headers })
    }
    return initialized(await newUser())
  }

  it.each<[string, string[]]>([
    ['is too long', ['x'.repeat(1_025)]],
    ['is not visible ASCII', ['a b']],
    ['is two', ['one', 'two']],
    ['is empty', ['']],
  ])('%s: no session', async (_, ids) => {
    const headers = new Headers()
    for (const id of ids) headers.append('mcp-session-id', id)
    expect((await handshake(headers)).id).toBeNull()
  })

  it('stays what it was, whatever it says later', async () => {
    const server = new LegacyServer()
    server.streaming = () => false
    const client = await initialized(await newUser())
    const serve = behaviour.upstream
    behaviour.upstream = async (request) => {
      const response = await serve(request)
      const headers = new Headers(response.headers)
      headers.set('mcp-session-id', 'another')
      return new Response(response.body, { status: response.status, headers })
    }
    const response = await within(client, toolCall('note'))
    expect(response.headers.get('mcp-session-id')).toBeNull()
    await within(client, toolCall('note'))
    expect(server.seen.map(({ session }) => session)).toEqual([null, 'upstream-1', 'upstream-1'])
  })
})

describe('the id that a client sends', () => {
  it.each<[string, (id: string) => string]>([
    ['twice', (id) => `${id}, ${id}`],
    ['in other letters', (id) => id.toUpperCase()],
    ['with something behind it', (id) => `${id}x`],
    ['cut', (id) => id.slice(1)],
    ['of the server itself', () => 'upstream-1'],
    ['of the handshake', () => `.${'a'.repeat(32)}`],
    ['as a pattern', () => '%'],
    ['huge', () => 'x'.repeat(8_000)],
  ])('%s leads nowhere', async (_, spelling) => {
    const server = new LegacyServer()
    server.streaming = () => false
    const client = await initialized(await newUser())
    const before = server.seen.length
    const headers = { 'mcp-session-id': spelling(client.id ?? '') }
    const response = await within(client, toolCall('note'), { headers })
    expect(await verdict(response)).toMatchObject({ status: 404, code: 'session_unknown' })
    expect(server.seen).toHaveLength(before)
  })

  it('is good until the moment at which it is given back, and not in any race after it', async () => {
    const server = new LegacyServer()
    server.streaming = () => false
    const client = await initialized(await newUser())
    const calls = Array.from({ length: 10 }, () => within(client, toolCall('note')))
    const gone = await within(client, '', { method: 'DELETE' })
    expect(gone.status).toBe(200)
    const answers = await Promise.all(calls)
    for (const { status } of answers) expect([200, 404]).toContain(status)
    const at = server.seen.findIndex(({ method }) => method === 'DELETE')
    const later = await Promise.all(
      Array.from({ length: 10 }, () => within(client, toolCall('note'))),
    )
    expect(later.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 404))
    expect(at).toBeGreaterThan(0)
  })

  it('is one of two, if two handshakes come at once', async () => {
    const server = new LegacyServer()
    server.streaming = () => false
    const sub = await newUser()
    const both = await Promise.all([initialized(sub), initialized(sub)])
    expect(new Set(both.map(({ id }) => id)).size).toBe(2)
    for (const client of both) expect((await within(client, toolCall('note'))).status).toBe(200)
    const used = server.seen.flatMap(({ session }) => (session === null ? [] : [session]))
    expect(new Set(used)).toEqual(new Set(['upstream-1', 'upstream-2']))
  })
})

describe('a response of a client', () => {
  it('is taken once, however many come at once', async () => {
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'client:sampling', 'write', 1)",
    )
    const server = new LegacyServer()
    const client = await initialized(await newUser(), { sampling: {} })
    const events = new EventReader(await within(client, toolCall('note')))
    const params = { messages: [], maxTokens: 1 }
    server.streams[0]!.send({ jsonrpc: '2.0', id: 1, method: 'sampling/createMessage', params })
    const id = (await events.message())?.['id']
    const body = JSON.stringify({ jsonrpc: '2.0', id, result: { role: 'user' } })
    const answers = await Promise.all(Array.from({ length: 10 }, () => within(client, body)))
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1)
    expect(server.seen.filter(({ message }) => message?.method === undefined)).toHaveLength(1)
    await events.leave()
  })
})

describe('what a server answers to a GET', () => {
  const stream = (text: string, init: ResponseInit) => () => new Response(text, init)
  const EVENTS = { 'content-type': 'text/event-stream' }

  it.each<[string, () => Response]>([
    ['401', stream(SECRET, { status: 401, headers: { 'www-authenticate': SECRET } })],
    ['403', stream(SECRET, { status: 403 })],
    ['407', stream(SECRET, { status: 407 })],
    ['a redirect', stream('', { status: 302, headers: { location: `https://${SECRET}.example` } })],
    ['500', stream(SECRET, { status: 500, headers: EVENTS })],
    ['206', stream(`data: ${SECRET}\n\n`, { status: 206, headers: EVENTS })],
    ['JSON', stream(`{"a":"${SECRET}"}`, { headers: { 'content-type': 'application/json' } })],
    ['no type', stream(SECRET, {})],
    ['two types', stream(SECRET, { headers: { 'content-type': 'text/html, text/event-stream' } })],
    ['an encoding', stream(SECRET, { headers: { ...EVENTS, 'content-encoding': 'br' } })],
  ])('%s: nothing of it passes', async (_, answer) => {
    new LegacyServer()
    const client = await initialized(await newUser())
    const serve = behaviour.upstream
    behaviour.upstream = (request) => (request.method === 'GET' ? answer() : serve(request))
    const response = await listen(client)
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect([...response.headers].join()).not.toContain(SECRET)
    expect(await response.text()).not.toContain(SECRET)
  })

  it('loses all its headers but ours', async () => {
    new LegacyServer()
    const client = await initialized(await newUser())
    const serve = behaviour.upstream
    behaviour.upstream = async (request) => {
      const response = await serve(request)
      const headers = new Headers(response.headers)
      for (const name of ['set-cookie', 'x-any', 'mcp-session-id', 'trailer', 'link'])
        headers.set(name, SECRET)
      return new Response(response.body, { headers })
    }
    const response = await listen(client)
    expect([...response.headers].join()).not.toContain(SECRET)
    await response.body?.cancel()
  })
})

describe('an event id that a client sends', () => {
  it.each(['x'.repeat(8_000), '..', `${'A'.repeat(22)}.${'x'.repeat(600)}`, '*'])(
    '%s: nothing goes on',
    async (id) => {
      const server = new LegacyServer()
      const client = await initialized(await newUser())
      const before = server.seen.length
      const response = await listen(client, { 'last-event-id': id })
      expect(await verdict(response)).toMatchObject({ status: 400, code: 'event_unknown' })
      expect(server.seen).toHaveLength(before)
    },
  )
})

describe('a method of HTTP', () => {
  it.each(['HEAD', 'PUT', 'PATCH'])('%s is none of MCP', async (method) => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const response = await within(client, toolCall('note'), { method })
    expect(response.status).toBe(405)
    expect(server.seen).toHaveLength(1)
  })
})
