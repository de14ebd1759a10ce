import { describe, expect, it, vi } from 'vitest'
import {
  EventReader,
  idOf,
  initialized,
  LegacyServer,
  listen,
  within,
} from '../../support/worker/legacy-server.ts'
import { logOf } from '../../support/worker/log.ts'
import { inThisWorld, newUser, sql, token, toolCall, verdict } from '../../support/worker/world.ts'

inThisWorld()

const RESULT = { content: [{ type: 'text', text: 'done' }] }

/** A call whose stream has given one event id and no answer. */
async function primed(sub: string) {
  const server = new LegacyServer()
  const client = await initialized(sub)
  const response = await within(client, toolCall('note', { n: 1 }))
  const events = new EventReader(response)
  const [stream] = server.streams
  stream!.raw('id: e-1\nretry: 250\ndata:\n\n')
  const first = await events.next()
  return { server, client, events, stream: stream!, first, id: idOf(first) ?? '' }
}

describe('a stream of events', () => {
  it('keeps id, retry and empty data, each in our own spelling', async () => {
    const { first, events, stream } = await primed(await newUser())
    expect(first).toMatch(/^id: [\w-]{22}\.e-1\nretry: 250\ndata: $/)
    stream.send(
      { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } },
      'e-2',
    )
    expect(await events.next()).toMatch(/^id: [\w-]{22}\.e-2\ndata: \{/)
    stream.answer(RESULT, 'e-3')
    expect(await events.next()).toMatch(/^id: [\w-]{22}\.e-3\ndata: \{.*"done"/)
    expect(await events.next()).toBeNull()
  })

  it('that ends before the answer goes on elsewhere, and the answer is that of the call', async () => {
    const sub = await newUser()
    const { server, client, events, stream, id } = await primed(sub)
    stream.end()
    expect(await events.next()).toBeNull()
    const resumed = await listen(client, { 'last-event-id': id })
    expect(resumed.status).toBe(200)
    expect(server.seen.at(-1)).toMatchObject({
      method: 'GET',
      session: 'upstream-1',
      lastEventId: 'e-1',
    })
    const again = new EventReader(resumed)
    const { id: call } = stream.request.message!
    server.streams.at(-1)!.send({ jsonrpc: '2.0', id: call, result: RESULT }, 'e-4')
    expect(await again.message()).toMatchObject({ id: call, result: RESULT })
    await again.leave()
    await vi.waitFor(async () => {
      const calls = (await logOf(sub)).filter(({ tool }) => tool === 'note')
      expect(calls).toMatchObject([{ outcome: 'committed', detail: 'in a stream that went on' }])
    })
  })

  it('decides the answer that comes elsewhere by what it holds', async () => {
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "INSERT INTO resources (tenant, type, id, sensitivity) VALUES ('acme', 'customer', 'c-2', 'restricted')",
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer')",
      'UPDATE policies SET condition = \'targets.all(t, t.sensitivity == "public")\'',
    )
    const { server, client, events, stream, id } = await primed(await newUser())
    stream.end()
    expect(await events.next()).toBeNull()
    const again = new EventReader(await listen(client, { 'last-event-id': id }))
    const { id: call } = stream.request.message!
    const result = { content: [], structuredContent: { id: 'c-2', secret: 'SECRET' } }
    server.streams.at(-1)!.send({ jsonrpc: '2.0', id: call, result })
    const said = await again.message()
    expect(said).toMatchObject({ id: call, result: { isError: true } })
    expect(JSON.stringify(said)).toContain('result_withheld')
    expect(JSON.stringify(said)).not.toContain('SECRET')
    await again.leave()
  })

  it('answers nothing in a session that has nothing open', async () => {
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const events = new EventReader(await listen(client))
    server.streams[0]!.send({ jsonrpc: '2.0', id: 7, result: { text: 'SECRET' } })
    expect(await events.next()).toBeNull()
    await vi.waitFor(() => expect(server.streams[0]!.isCancelled).toBe(true))
  })

  it('goes on for nobody else, and in no other session', async () => {
    const sub = await newUser()
    const { server, id, client } = await primed(sub)
    const other = await initialized(sub)
    const stranger = await initialized(await newUser())
    const before = server.seen.length
    for (const [who, last] of [
      [other, id],
      [stranger, id],
      [client, 'e-1'],
      [client, `${id}x`],
      [client, `${'A'.repeat(22)}.e-1`],
    ] as const) {
      const response = await listen(who, { 'last-event-id': last })
      expect(await verdict(response)).toMatchObject({ status: 400, code: 'event_unknown' })
    }
    const thief = { ...client, token: await token({ sub: await newUser() }) }
    const response = await listen(thief, { 'last-event-id': id })
    expect(await verdict(response)).toMatchObject({ status: 404, code: 'session_unknown' })
    expect(server.seen).toHaveLength(before)
  })

  it('ends with an error where it cannot go on', async () => {
    const server = new LegacyServer()
    server.keepsSessions = false
    const client = await initialized(await newUser())
    const events = new EventReader(await within(client, toolCall('note')))
    server.streams[0]!.end()
    expect(await events.message()).toMatchObject({ error: { code: 50_201 } })
  })
})

describe('the stream of a session', () => {
  it('passes on what changed, and who may not see a resource does not hear of it', async () => {
    await sql(
      `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES
        ('acme', 'crm', 'resource:crm://open', 'read', 1), ('acme', 'crm', 'resource:crm://closed', 'read', 1)`,
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'resource:crm://closed')",
    )
    const server = new LegacyServer()
    const client = await initialized(await newUser())
    const events = new EventReader(await listen(client))
    const stream = server.streams[0]!
    const notice = (method: string, params?: unknown) =>
      stream.send({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) })
    notice('notifications/tools/list_changed', { words: 'SECRET' })
    expect(await events.message()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
    })
    notice('notifications/resources/updated', { uri: 'crm://closed' })
    notice('notifications/resources/updated', { uri: 'crm://none' })
    notice('notifications/resources/updated', { uri: 'crm://open', words: 'SECRET' })
    expect(await events.message()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'crm://open' },
    })
    notice('notifications/unheard/of', { words: 'SECRET' })
    notice('notifications/message', { level: 'info', data: 'hello' })
    expect(await events.message()).toMatchObject({ params: { data: 'hello' } })
    await events.leave()
    await vi.waitFor(() => expect(stream.isCancelled).toBe(true))
  })

  it('taints the history with what it may hold, once it says something', async () => {
    const server = new LegacyServer()
    server.streaming = () => false
    const sub = await newUser()
    const client = await initialized(sub)
    const events = new EventReader(await listen(client))
    const exported = async () => (await verdict(await within(client, toolCall('export_all')))).code
    expect(await exported()).toBe('allowed')
    server.streams[0]!.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    await events.message()
    expect(await exported()).toBe('allowed')
    const params = { level: 'info', data: 'row 1, row 2' }
    server.streams[0]!.send({ jsonrpc: '2.0', method: 'notifications/message', params })
    await events.message()
    expect(await exported()).toBe('denied_by_sequence')
    await events.leave()
  })

  it('is not offered by every server, and that is said as the server says it', async () => {
    const server = new LegacyServer()
    server.offersStream = false
    const client = await initialized(await newUser())
    const response = await listen(client)
    expect(response.headers.get('allow')).toContain('POST')
    expect(await verdict(response)).toMatchObject({ status: 405, code: 'method_not_allowed' })
  })

  it('is one that the client must accept', async () => {
    new LegacyServer()
    const client = await initialized(await newUser())
    const response = await listen(client, { accept: 'application/json' })
    expect(await verdict(response)).toMatchObject({ status: 406 })
  })
})
