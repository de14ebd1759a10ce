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
import { inThisWorld, newUser, toolCall } from '../../support/worker/world.ts'

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
})
