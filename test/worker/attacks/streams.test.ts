import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import { Digests } from '../../../src/durable-objects/digests.ts'
import { McpSessions } from '../../../src/durable-objects/mcp-sessions.ts'
import { migrate } from '../../../src/durable-objects/session-schema.ts'
import { SESSION_PROTOCOL } from '../../../src/durable-objects/session-protocol.ts'
import {
  EventReader,
  idOf,
  initialized,
  LegacyServer,
  listen,
  within,
  type LegacyClient,
} from '../../support/worker/legacy-server.ts'
import {
  inThisWorld,
  newUser,
  post,
  sessionKey,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const SECRET = 'what-must-not-pass'
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A result of `note` that names a customer is for nobody; a result of `delete_one` is not looked at. */
const decidedByContent = () =>
  sql(
    "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
    "INSERT INTO resources (tenant, type, id, sensitivity, labels) VALUES ('acme', 'customer', 'c-2', 'restricted', '[]')",
    "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer')",
    'UPDATE policies SET condition = \'targets.all(t, t.sensitivity == "public")\'',
  )

const RESTRICTED = { content: [], structuredContent: { id: 'c-2', secret: SECRET } }

/** A call with this id, of which the client has one event id. */
async function called(client: LegacyClient, server: LegacyServer, tool: string, id: number) {
  const params = { name: tool, arguments: {} }
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })
  const events = new EventReader(await within(client, body))
  const stream = server.streams.at(-1)!
  stream.raw(`id: ${tool}-1\ndata:\n\n`)
  return { events, stream, event: idOf(await events.next()) ?? '' }
}

describe('a stream that goes on', () => {
  it('answers the call whose stream it was, and not another one of the same id', async () => {
    await decidedByContent()
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    // Its result is not for this client.
    const strict = await called(client, server, 'note', 7)
    strict.stream.end()
    expect(await strict.events.next()).toBeNull()
    // A result of this one is not looked at.
    for (let n = 0; n < 4; n += 1) {
      const mild = await called(client, server, 'delete_one', 7)
      mild.stream.end()
      expect(await mild.events.next()).toBeNull()
    }
    const again = new EventReader(await listen(client, { 'last-event-id': strict.event }))
    server.streams.at(-1)!.send({ jsonrpc: '2.0', id: 7, result: RESTRICTED })
    const said = JSON.stringify(await again.message())
    expect(said).not.toContain(SECRET)
    expect(said).toContain('result_withheld')
    await again.leave()
  })

  it('does not bring what was withheld, as the answer to another call', async () => {
    await decidedByContent()
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const strict = await called(client, server, 'note', 7)
    strict.stream.answer(RESTRICTED, 'note-2')
    expect(JSON.stringify(await strict.events.message())).toContain('result_withheld')
    const mild = await called(client, server, 'delete_one', 7)
    mild.stream.end()
    expect(await mild.events.next()).toBeNull()
    const before = server.seen.length
    const response = await listen(client, { 'last-event-id': strict.event })
    expect(await verdict(response)).toMatchObject({ status: 400, code: 'event_unknown' })
    expect(server.seen).toHaveLength(before)
  })

  it('brings another answer with the labels of that one', async () => {
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      `INSERT INTO resources (tenant, type, id, labels) VALUES
        ('acme', 'customer', 'c-3', '["source.confidential","source.bulk"]'),
        ('acme', 'customer', 'c-4', '["source.public"]')`,
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type, optional) VALUES ('acme', 'crm', 'note', '/id', 'customer', 1)",
    )
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const call = await called(client, server, 'note', 7)
    await call.events.leave()
    await wait(150)
    call.stream.answer({ content: [], structuredContent: { id: 'c-4' } })
    await wait(150)
    const exported = async () => {
      server.streaming = () => false
      return (await verdict(await within(client, toolCall('export_all')))).code
    }
    expect(await exported()).toBe('allowed')
    const again = new EventReader(await listen(client, { 'last-event-id': call.event }))
    const result = { content: [], structuredContent: { id: 'c-3' } }
    server.streams.at(-1)!.send({ jsonrpc: '2.0', id: 7, result })
    expect(await again.message()).toMatchObject({ result })
    expect(await exported()).toBe('denied_by_sequence')
    await again.leave()
  })

  it('does so for a quarter of an hour', async () => {
    const server = new LegacyServer()
    const sub = await newUser()
    const client = await initialized(sub)
    const call = await called(client, server, 'note', 7)
    call.stream.end()
    expect(await call.events.next()).toBeNull()
    await runInDurableObject(env.SESSIONS.getByName(await sessionKey(sub)), (_, { storage }) => {
      storage.sql.exec('UPDATE mcp_suspended SET suspended_at = suspended_at - 900001')
    })
    const response = await listen(client, { 'last-event-id': call.event })
    expect(response.status).toBe(400)
  })
})

describe('what stands beside the words of a notice', () => {
  const exported = async (server: LegacyServer, client: LegacyClient) => {
    server.streaming = () => false
    return (await verdict(await within(client, toolCall('export_all')))).code
  }

  it.each([
    ['a member that progress does not have', { progressToken: 1, progress: 1, data: SECRET }],
    ['its meta', { progressToken: 1, progress: 1, _meta: { text: SECRET } }],
    ['a message that is no text', { progressToken: 1, progress: 1, message: { text: SECRET } }],
    ['the token', { progressToken: SECRET, progress: 1 }],
  ])('is told to the history: %s', async (_, params) => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const events = new EventReader(await listen(client))
    const stream = server.streams[0]!
    stream.send({ jsonrpc: '2.0', method: 'notifications/progress', params })
    stream.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    const first = JSON.stringify(await events.message())
    const code = await exported(server, client)
    expect([first.includes(SECRET), code]).not.toEqual([true, 'allowed'])
    await events.leave()
  })

  it('is not more than numbers, where progress has no words', async () => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const events = new EventReader(await listen(client))
    const params = { progressToken: 1, progress: 1, total: 2 }
    server.streams[0]!.send({ jsonrpc: '2.0', method: 'notifications/progress', params })
    expect(await events.message()).toMatchObject({ params })
    expect(await exported(server, client)).toBe('allowed')
    await events.leave()
  })

  it('is no token that the client did not give', async () => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const events = new EventReader(await within(client, toolCall('note')))
    const [stream] = server.streams
    for (const token of [{}, { progressToken: null }, { progressToken: SECRET }]) {
      const params = { ...token, progress: 1 }
      stream!.send({ jsonrpc: '2.0', method: 'notifications/progress', params })
    }
    stream!.answer({ content: [] })
    expect(await events.message()).toHaveProperty('result')
  })

  it.each([
    [
      'the name of a subscription',
      'notifications/resources/updated',
      { uri: 'crm://open', _meta: { 'io.modelcontextprotocol/subscriptionId': SECRET } },
    ],
    [
      'of a listing',
      'notifications/tools/list_changed',
      { _meta: { 'io.modelcontextprotocol/subscriptionId': SECRET } },
    ],
  ])('does not pass in a session: %s', async (_, method, params) => {
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'resource:crm://open', 'read', 1)",
    )
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const events = new EventReader(await listen(client))
    server.streams[0]!.send({ jsonrpc: '2.0', method, params })
    expect(JSON.stringify(await events.message())).not.toContain(SECRET)
    await events.leave()
  })

  it('is the id of the subscription itself, or the notice does not pass', async () => {
    const server = new LegacyServer()
    server.keepsSessions = false
    server.streaming = () => true
    const bearer = await token({ sub: await newUser() })
    const response = await post(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 'mine',
        method: 'subscriptions/listen',
        params: {
          notifications: { toolsListChanged: true },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
      {
        token: bearer,
        headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' },
      },
    )
    expect(response.status).toBe(200)
    const events = new EventReader(response)
    const said = (id: unknown) =>
      server.streams[0]!.send({
        jsonrpc: '2.0',
        method: 'notifications/tools/list_changed',
        params: { _meta: { 'io.modelcontextprotocol/subscriptionId': id } },
      })
    said(SECRET)
    said('mine')
    expect(await events.message()).toMatchObject({
      params: { _meta: { 'io.modelcontextprotocol/subscriptionId': 'mine' } },
    })
    await events.leave()
  })
})

describe('while D1 hangs', () => {
  it.each(['the stream of a session', 'a call'])(
    '%s gets nothing more after a second, and ends within two',
    { timeout: 20_000 },
    async (kind) => {
      const server = new LegacyServer()
      const client = await initialized(await newUser())
      const response = await (kind === 'a call' ? within(client, toolCall('note')) : listen(client))
      const events = new EventReader(response)
      await wait(1_300)
      const hung = Date.now()
      const spy = vi.spyOn(env.DB, 'withSession').mockImplementation(() => {
        const never = new Promise<never>(() => undefined)
        const statement = { bind: () => statement, first: () => never, all: () => never }
        return { prepare: () => statement, batch: () => never } as unknown as D1DatabaseSession
      })
      const stream = server.streams[0]!
      const ticking = setInterval(() => {
        if (kind === 'a call') {
          const params = { level: 'info', data: String(Date.now() - hung) }
          stream.send({ jsonrpc: '2.0', method: 'notifications/message', params })
        } else {
          stream.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
        }
      }, 50)
      let last = 0
      try {
        for (;;) {
          const message = await events.message()
          if (message === null) break
          if ('method' in message) last = Date.now() - hung
        }
      } finally {
        clearInterval(ticking)
        spy.mockRestore()
      }
      const ended = Date.now() - hung
      expect({ last: last < 1_100, ended: ended < 2_300 }, `${last} ${ended}`).toEqual({
        last: true,
        ended: true,
      })
    },
  )
})

describe('a flood of handshakes', () => {
  it('of one actor at many servers pushes out no other actor', async () => {
    const left = await runInDurableObject(
      env.SESSIONS.getByName(crypto.randomUUID()),
      (_, { storage }) => {
        migrate(storage)
        const sessions = new McpSessions(storage.sql, new Digests('key'))
        const open = (n: number, actorKey: string, server: string) =>
          sessions.note(
            {
              version: SESSION_PROTOCOL,
              decision: `d-${n}`,
              kind: 'opened',
              id: String(n).padStart(43, 'a'),
              upstream: `u-${n}`,
              protocol: '2025-11-25',
              capabilities: '{}',
              actorKey,
              server,
            },
            n,
          )
        open(0, 'quiet', 'crm')
        for (let n = 1; n <= 2_000; n += 1) open(n, 'loud', `server-${n % 40}`)
        const of = (actor: string) =>
          storage.sql
            .exec<{ n: number }>('SELECT count(*) AS n FROM mcp_sessions WHERE actor = ?', actor)
            .one().n
        return { quiet: of('quiet'), loud: of('loud') }
      },
    )
    expect(left.quiet).toBe(2)
    expect(left.loud).toBeLessThanOrEqual(1_026)
    expect(left.loud).toBeGreaterThan(900)
  })
})

/** What ends somebody's leave besides what is told in `streams/watched.test.ts`. */
const ENDS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['the server is switched off', [], ["UPDATE servers SET active = 0 WHERE name = 'crm'"]],
  [
    'the agent is revoked',
    [],
    ["INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'agent', 'bot')"],
  ],
  [
    'the token is revoked',
    [],
    ["INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'token', 'the-token')"],
  ],
  ['the agent is switched off', [], ["UPDATE agents SET active = 0 WHERE id = 'bot'"]],
  [
    'the tool is revoked',
    [],
    ["INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/note')"],
  ],
  ['the tool has no row any more', [], ["DELETE FROM tools WHERE name = 'note'"]],
  ['a scope is asked for', [], ["UPDATE tools SET required_scope = 'more' WHERE name = 'note'"]],
  [
    'the role lapses by itself',
    [
      "UPDATE role_assignments SET expires_at = (unixepoch('subsec') + 2) * 1000 WHERE holder = 'SUB'",
    ],
    [],
  ],
]

describe('a call that is open when', () => {
  it.each(ENDS)('%s ends within a second', async (_, before, edits) => {
    const sub = await newUser()
    const named = (text: string) => text.replaceAll('SUB', sub)
    if (before.length > 0) await sql(...before.map(named))
    const server = new LegacyServer()
    const bearer = await token({ sub, agent: 'bot', claims: { jti: 'the-token' } })
    const client = await initialized(sub, {}, { token: bearer })
    const events = new EventReader(await within(client, toolCall('note')))
    await wait(1_200)
    if (edits.length > 0) await sql(...edits.map(named))
    const committed = Date.now()
    expect(JSON.stringify(await events.message())).toContain('sallyport/refusal')
    expect(Date.now() - committed).toBeLessThan(edits.length === 0 ? 2_500 : 1_500)
    await vi.waitFor(() => expect(server.streams[0]!.isCancelled).toBe(true))
  })
})
