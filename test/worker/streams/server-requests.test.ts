import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  EventReader,
  initialized,
  LegacyServer,
  listen,
  within,
  type LegacyClient,
} from '../../support/worker/legacy-server.ts'
import { logOf } from '../../support/worker/log.ts'
import { inThisWorld, newUser, sql, token, toolCall, verdict } from '../../support/worker/world.ts'

inThisWorld()

beforeEach(() =>
  sql(
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES
      ('acme', 'crm', 'client:sampling', 'write', 1), ('acme', 'crm', 'client:elicitation', 'write', 1)`,
  ),
)

const ALL = { sampling: {}, elicitation: {}, roots: {} }
const SAMPLING = { messages: [], maxTokens: 1 }

/** A call under way, whose server has a stream to ask in. */
async function calling(sub: string, capabilities: unknown = ALL) {
  const server = new LegacyServer()
  const client = await initialized(sub, capabilities)
  const events = new EventReader(await within(client, toolCall('note')))
  const stream = server.streams[0]!
  const ask = (id: unknown, method: string, params: unknown = {}) =>
    stream.send({ jsonrpc: '2.0', id, method, params })
  return { server, client, events, stream, ask }
}

const answer = (client: LegacyClient, id: unknown, result: unknown) =>
  within(client, JSON.stringify({ jsonrpc: '2.0', id, result }))

const told = (server: LegacyServer) =>
  server.seen.flatMap(({ message }) =>
    message !== null && message.method === undefined ? [message] : [],
  )

describe('what a server asks of the client', () => {
  it('is passed on, and the answer goes back to the server as its own request', async () => {
    const sub = await newUser()
    const { server, client, events, stream, ask } = await calling(sub)
    ask(3, 'sampling/createMessage', SAMPLING)
    const asked = await events.message()
    expect(asked).toMatchObject({ method: 'sampling/createMessage', params: SAMPLING })
    const result = { role: 'assistant', content: { type: 'text', text: 'hi' }, model: 'm' }
    expect((await answer(client, asked?.['id'], result)).status).toBe(202)
    expect(told(server)).toEqual([{ jsonrpc: '2.0', id: 3, result }])
    stream.answer({ content: [] })
    expect(await events.message()).toMatchObject({ result: { content: [] } })
    const [sent] = (await logOf(sub)).filter(({ tool }) => tool === 'client:sampling')
    expect(sent).toMatchObject({ decision: 'allow' })
  })

  it('is answered by a refusal as well, with the words of the client', async () => {
    const { server, client, events, ask } = await calling(await newUser())
    ask('x', 'elicitation/create', { message: 'name?', requestedSchema: {} })
    const asked = await events.message()
    const error = { code: -1, message: 'no' }
    const body = JSON.stringify({ jsonrpc: '2.0', id: asked?.['id'], error })
    expect((await within(client, body)).status).toBe(202)
    expect(told(server)).toEqual([{ jsonrpc: '2.0', id: 'x', error }])
  })

  it.each<[string, unknown, string, unknown, string]>([
    ['it did not declare', { sampling: {} }, 'elicitation/create', {}, ''],
    ['has no row', ALL, 'roots/list', {}, ''],
    ['is of no known kind', ALL, 'secrets/read', {}, ''],
    [
      'a policy forbids',
      ALL,
      'sampling/createMessage',
      SAMPLING,
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'client:sampling')",
    ],
    [
      'is revoked',
      ALL,
      'sampling/createMessage',
      SAMPLING,
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/client:sampling')",
    ],
    [
      'might tell a result that is to be decided',
      ALL,
      'sampling/createMessage',
      SAMPLING,
      "INSERT INTO tool_results (tenant, server, tool, pointer, role) VALUES ('acme', 'crm', 'note', '/x', 'target')",
    ],
  ])('that %s is answered by us, and never shown', async (_, capabilities, method, params, row) => {
    if (row !== '') {
      const text = row.includes('tool_results')
        ? "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type, optional) VALUES ('acme', 'crm', 'note', '/x', 'customer', 1)"
        : row
      if (text !== row)
        await sql("INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')")
      await sql(text)
    }
    const { server, events, stream, ask } = await calling(await newUser(), capabilities)
    ask(3, method, params)
    stream.answer({ content: [] })
    expect(await events.message()).toMatchObject({ result: { content: [] } })
    await vi.waitFor(() =>
      expect(told(server)).toMatchObject([{ id: 3, error: { code: -32_601 } }]),
    )
  })

  it('cannot be a flood: only so many are passed on, or answered', async () => {
    const { server, events, stream, ask } = await calling(await newUser())
    for (let id = 0; id < 100; id += 1) ask(id, 'sampling/createMessage', SAMPLING)
    stream.answer({ content: [] })
    let passed = 0
    for (;;) {
      const next = await events.message()
      if (next === null || 'result' in next) break
      passed += 1
    }
    expect(passed).toBe(64)
    await vi.waitFor(() => expect(told(server)).toHaveLength(16))
  })

  it('is taken back by the id that the client knows', async () => {
    const { client, events, ask, stream } = await calling(await newUser())
    ask(3, 'sampling/createMessage', SAMPLING)
    const asked = await events.message()
    const cancel = (requestId: unknown) =>
      stream.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } })
    cancel(4)
    cancel(3)
    expect(await events.message()).toMatchObject({
      method: 'notifications/cancelled',
      params: { requestId: asked?.['id'] },
    })
    await vi.waitFor(async () =>
      expect(await verdict(await answer(client, asked?.['id'], { role: 'user' }))).toMatchObject({
        status: 400,
        code: 'response_unasked',
      }),
    )
  })

  it('can be whether it is alive', async () => {
    const { server, client, events, ask } = await calling(await newUser(), {})
    ask(9, 'ping')
    const asked = await events.message()
    expect(asked).toMatchObject({ method: 'ping' })
    expect(await verdict(await answer(client, asked?.['id'], { all: 'SECRET' }))).toMatchObject({
      status: 400,
    })
    expect((await answer(client, asked?.['id'], {})).status).toBe(202)
    expect(told(server)).toEqual([{ jsonrpc: '2.0', id: 9, result: {} }])
  })
})

describe('the answer of a client', () => {
  const asked = async (sub: string) => {
    const all = await calling(sub)
    all.ask(3, 'sampling/createMessage', SAMPLING)
    const id = (await all.events.message())?.['id']
    return { ...all, id }
  }

  it('is taken once', async () => {
    const { server, client, id } = await asked(await newUser())
    expect((await answer(client, id, { role: 'user' })).status).toBe(202)
    expect((await answer(client, id, { role: 'user' })).status).toBe(400)
    expect(told(server)).toHaveLength(1)
  })

  it.each<[string, unknown]>([
    ['to what was not asked', 'sampling/createMessage:4'],
    ['to the id of the server', 3],
    ['in another spelling', 'sampling/createMessage: 3'],
    ['of another kind', 'elicitation/create:3'],
    ['of no kind', 'resources/read:3'],
  ])('%s is refused, and the server sees nothing', async (_, id) => {
    const { server, client } = await asked(await newUser())
    const response = await answer(client, id, { role: 'user' })
    expect(response.status).toBe(400)
    expect(told(server)).toEqual([])
  })

  it('comes from whom it was asked, in the session in which it was asked', async () => {
    const sub = await newUser()
    const { server, id } = await asked(sub)
    const again = await initialized(sub, ALL)
    const stranger = await initialized(await newUser(), ALL)
    for (const who of [again, stranger]) {
      expect(await verdict(await answer(who, id, { role: 'user' }))).toMatchObject({
        status: 400,
        code: 'response_unasked',
      })
    }
    expect(told(server)).toEqual([])
  })

  it('is a send, and decided as one', async () => {
    await sql(
      `INSERT INTO policies (tenant, id, effect, tool, condition) VALUES
        ('acme', 'no-secrets', 'deny', 'client:sampling', 'has(args.secret)')`,
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, reason) VALUES
        ('acme', 'no-send', 'deny', 'sink.update', 'temporal', '["source.confidential"]', 1800, 'leak')`,
    )
    const sub = await newUser()
    const { server, client, id, ask, events } = await asked(sub)
    const denied = await answer(client, id, { role: 'user', secret: 1 })
    expect(await verdict(denied)).toMatchObject({ status: 400, code: 'denied_by_policy' })
    server.streaming = () => false
    await within(client, toolCall('read_all'))
    ask(5, 'sampling/createMessage', SAMPLING)
    const next = (await events.message())?.['id']
    expect(await verdict(await answer(client, next, { role: 'user' }))).toMatchObject({
      code: 'denied_by_sequence',
    })
    expect(told(server)).toEqual([])
  })

  it('is not part of 2026-07-28', async () => {
    const { server, client, id } = await asked(await newUser())
    const headers = { 'mcp-protocol-version': '2026-07-28' }
    const body = JSON.stringify({ jsonrpc: '2.0', id, result: { role: 'user' } })
    expect(await verdict(await within(client, body, { headers }))).toMatchObject({
      status: 400,
      code: 'response_unexpected',
    })
    expect(told(server)).toEqual([])
  })

  it('can be to what came in the stream of the session', async () => {
    const server = new LegacyServer()
    const client = await initialized(await newUser(), ALL)
    const events = new EventReader(await listen(client))
    server.streams[0]!.send({
      jsonrpc: '2.0',
      id: 1,
      method: 'sampling/createMessage',
      params: SAMPLING,
    })
    const id = (await events.message())?.['id']
    expect((await answer(client, id, { role: 'user' })).status).toBe(202)
    expect(told(server)).toEqual([{ jsonrpc: '2.0', id: 1, result: { role: 'user' } }])
    await events.leave()
  })
})

describe('a request that was taken back by the client', () => {
  it('is told to the server in a session, where its ids are this client’s', async () => {
    const { server, client, stream } = await calling(await newUser())
    const { id: requestId } = stream.request.message!
    const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }
    expect((await within(client, JSON.stringify(body))).status).toBe(202)
    expect(server.seen.at(-1)?.message).toEqual(body)
    expect(await token()).toBeDefined()
  })
})
