import { describe, expect, it, vi } from 'vitest'
import { nextLook } from '../../support/worker/exchange.ts'
import {
  EventReader,
  idOf,
  initialized,
  LegacyServer,
  listen,
  within,
} from '../../support/worker/legacy-server.ts'
import {
  closeTask,
  openTask,
  revoke,
  rowsOf,
  taskEvents,
  withRunningTasks,
} from '../../support/worker/running.ts'
import {
  behaviour,
  inThisWorld,
  newUser,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()
withRunningTasks()

const TASK = { task: { taskId: 'task-1', status: 'working', ttl: null } }

/** A call of a legacy session that became a task of its server. */
async function started() {
  const sub = await newUser()
  const server = new LegacyServer()
  const client = await initialized(sub)
  const events = new EventReader(await within(client, toolCall('note')))
  server.streams[0]?.answer(TASK)
  expect(await events.message()).toMatchObject({ result: TASK })
  const told = () => server.seen.filter(({ message }) => message?.method === 'tasks/cancel')
  return { sub, server, client, told }
}

describe('a task of a legacy session', () => {
  it('is ended in that session, as its handshake agreed on', async () => {
    const { sub, server, told } = await started()
    const before = server.seen.length
    await revoke('subject', sub)
    await nextLook(sub)
    expect(told()).toMatchObject([
      { session: 'upstream-1', message: { params: { taskId: 'task-1' } } },
    ])
    expect(server.seen).toHaveLength(before + 1)
    expect((await taskEvents(sub)).map(({ event }) => event)).toEqual(['ended', 'cancelled'])
  })

  it('is ended in another one, where that is forgotten', async () => {
    const { sub, server, client, told } = await started()
    expect((await within(client, '', { method: 'DELETE' })).status).toBe(200)
    expect(server.sessions.size).toBe(0)
    await revoke('subject', sub)
    await nextLook(sub)
    expect(told().map(({ session }) => session)).toEqual(['upstream-1', 'upstream-2'])
    // And that one is given back.
    expect(server.sessions.size).toBe(0)
    expect((await taskEvents(sub)).map(({ event }) => event)).toEqual(['ended', 'cancelled'])
  })

  it('is known also where its name comes in a stream that nobody may read any more', async () => {
    const sub = await newUser()
    const server = new LegacyServer()
    await openTask('t1', sub)
    const client = await initialized(sub)
    const events = new EventReader(await within(client, toolCall('note')))
    const [stream] = server.streams
    stream?.raw('id: e-1\ndata:\n\n')
    const id = idOf(await events.next()) ?? ''
    stream?.end()
    expect(await events.next()).toBeNull()
    await closeTask('t1')
    await openTask('t2', sub)
    const again = new EventReader(await listen(client, { 'last-event-id': id }))
    server.streams.at(-1)?.send({ jsonrpc: '2.0', id: stream?.request.message?.id, result: TASK })
    expect(JSON.stringify(await again.message())).not.toContain('task-1')
    await again.leave()
    await vi.waitFor(async () => expect(await rowsOf(sub)).toHaveLength(1))
    await nextLook(sub)
    const told = server.seen.filter(({ message }) => message?.method === 'tasks/cancel')
    expect(told).toMatchObject([{ message: { params: { taskId: 'task-1' } } }])
    expect(await taskEvents(sub)).toMatchObject([
      { event: 'ended', cause: 'task_ended', task: 't1' },
      { event: 'cancelled' },
    ])
  })

  it('is known also where a client does not read its name', { timeout: 15_000 }, async () => {
    const sub = await newUser()
    const server = new LegacyServer()
    const client = await initialized(sub)
    const response = await within(client, toolCall('note'))
    const [stream] = server.streams
    stream?.send({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info' } })
    stream?.answer(TASK)
    // Nobody asks for a byte of it.
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    await revoke('subject', sub)
    await vi.waitFor(async () => expect(await rowsOf(sub)).toHaveLength(1), { timeout: 4_000 })
    expect(await response.text()).not.toContain('task-1')
    expect(stream?.isCancelled).toBe(true)
    await nextLook(sub)
    const told = server.seen.filter(({ message }) => message?.method === 'tasks/cancel')
    expect(told).toMatchObject([{ message: { params: { taskId: 'task-1' } } }])
  })

  it('ends also where only a token that is gone said when', { timeout: 15_000 }, async () => {
    await sql('UPDATE issuers SET opens_tasks = 1')
    const sub = await newUser()
    const server = new LegacyServer()
    const expires = Math.floor(Date.now() / 1000) + 2
    const details = [{ type: 'mcp_task', purpose: 'notes', expires_at: expires }]
    const declaring = await token({ sub, claims: { txn: 't', authorization_details: details } })
    const client = await initialized(sub, {}, { token: declaring })
    const events = new EventReader(await within(client, toolCall('note')))
    const [stream] = server.streams
    stream?.raw('id: e-1\ndata:\n\n')
    const id = idOf(await events.next()) ?? ''
    stream?.end()
    expect(await events.next()).toBeNull()
    await new Promise((resolve) => setTimeout(resolve, expires * 1000 + 20 - Date.now()))
    const later = { ...client, token: await token({ sub }) }
    const again = new EventReader(await listen(later, { 'last-event-id': id }))
    server.streams.at(-1)?.send({ jsonrpc: '2.0', id: stream?.request.message?.id, result: TASK })
    expect(JSON.stringify(await again.message())).not.toContain('task-1')
    await again.leave()
    await vi.waitFor(async () => expect(await rowsOf(sub)).toHaveLength(1))
    await nextLook(sub)
    expect(await taskEvents(sub)).toMatchObject([
      { event: 'ended', cause: 'task_ended', task: 'txn:t' },
      { event: 'cancelled' },
    ])
  })

  it('is ended in its own era, also by a server that speaks both', async () => {
    const { sub, server, client, told } = await started()
    expect((await within(client, '', { method: 'DELETE' })).status).toBe(200)
    const legacy = behaviour.upstream
    behaviour.upstream = async (request) => {
      if (request.headers.get('mcp-protocol-version') !== '2026-07-28') return legacy(request)
      const { id, method } = await request.json<{ id: unknown; method: string }>()
      return method === 'server/discover'
        ? Response.json({
            jsonrpc: '2.0',
            id,
            result: { supportedVersions: ['2026-07-28'], capabilities: {} },
          })
        : Response.json({ jsonrpc: '2.0', id, error: { code: -32_003, message: 'no' } })
    }
    await revoke('subject', sub)
    await nextLook(sub)
    expect(told().map(({ session }) => session)).toEqual(['upstream-1', 'upstream-2'])
    expect(server.sessions.size).toBe(0)
    expect((await taskEvents(sub)).map(({ event }) => event)).toEqual(['ended', 'cancelled'])
  })

  it('is known to be ended also where its server does not hear the farewell', async () => {
    const { sub, client, told } = await started()
    expect((await within(client, '', { method: 'DELETE' })).status).toBe(200)
    const serve = behaviour.upstream
    behaviour.upstream = async (request) =>
      request.method === 'DELETE' ? new Promise(() => undefined) : serve(request)
    await revoke('subject', sub)
    await nextLook(sub)
    expect(told()).toHaveLength(2)
    expect((await taskEvents(sub)).map(({ event }) => event)).toEqual(['ended', 'cancelled'])
  })

  it('leaves no session behind in which nothing could be said', async () => {
    const { sub, server, client } = await started()
    expect((await within(client, '', { method: 'DELETE' })).status).toBe(200)
    const serve = behaviour.upstream
    behaviour.upstream = async (request) =>
      (await request.clone().text()).includes('notifications/initialized')
        ? new Response(null, { status: 500 })
        : serve(request)
    await revoke('subject', sub)
    await nextLook(sub)
    expect((await taskEvents(sub)).map(({ event }) => event)).toEqual(['ended', 'failed'])
    expect(server.sessions.size).toBe(0)
  })
})
