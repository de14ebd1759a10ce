import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  EventReader,
  initialized,
  LegacyServer,
  listen,
  within,
} from '../../support/worker/legacy-server.ts'
import { inThisWorld, newUser, sql, token, toolCall, verdict } from '../../support/worker/world.ts'
import { ask as open, close, notes, setUp } from '../tasks/door.ts'

inThisWorld()
beforeEach(async () => {
  await setUp()
  await sql(
    "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'resource:crm://open', 'read', 1)",
  )
})

const NOBODYS = `sptask_${'A'.repeat(43)}`
const UPDATED = {
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri: 'crm://open' },
}
const MARK = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' }

/** Whether the stream of a session tells of a resource, opened with these headers. */
async function hears(sub: string, headers: Record<string, string> = {}): Promise<boolean> {
  const server = new LegacyServer()
  const client = await initialized(sub)
  const events = new EventReader(await listen(client, headers))
  const [stream] = server.streams
  stream!.send(UPDATED)
  stream!.send(MARK)
  const first = await events.message()
  await events.leave()
  return first?.['method'] === UPDATED.method
}

describe('a stream that no one task can be told of', () => {
  const reading = (subject: string) => notes({ subject, tools: ['crm/resource:*'] })

  it('is no way around the only one that is open', async () => {
    const sub = await newUser()
    expect(await hears(sub)).toBe(true)
    await open(notes({ subject: sub }))
    expect(await hears(sub)).toBe(false)
  })

  it('nor around two of them', async () => {
    const sub = await newUser()
    await open(notes({ subject: sub }))
    const { handle = '' } = await open(reading(sub))
    expect(await hears(sub)).toBe(false)
    expect(await hears(sub, { 'sallyport-task': handle })).toBe(true)
  })
})

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('the stream of a session', () => {
  const opened = async (sub: string, headers: Record<string, string> = {}) => {
    const server = new LegacyServer()
    const client = await initialized(sub)
    const events = new EventReader(await listen(client, headers))
    return { events, stream: server.streams[0]! }
  }
  const LOG = {
    jsonrpc: '2.0',
    method: 'notifications/message',
    params: { level: 'info', data: 'x' },
  }

  it('ends with the task that it was let in under', async () => {
    const sub = await newUser()
    const { id } = await open(notes({ subject: sub }))
    const { events, stream } = await opened(sub)
    await wait(1_200)
    await close(id)
    await wait(1_200)
    stream.send(LOG)
    expect(await events.next()).toBeNull()
    await vi.waitFor(() => expect(stream.isCancelled).toBe(true))
  })

  it('does not end with a task that was opened meanwhile', async () => {
    const sub = await newUser()
    const { events, stream } = await opened(sub)
    await wait(1_200)
    const { id } = await open(notes({ subject: sub }))
    await wait(700)
    await close(id)
    await wait(700)
    stream.send(LOG)
    expect(await events.message()).toEqual(LOG)
    await events.leave()
  })

  it.each([
    ['that is over', true],
    ['of nobody', false],
  ])('is not opened for a task %s', async (_, isOver) => {
    const sub = await newUser()
    const { id, handle = '' } = await open(notes({ subject: sub }))
    if (isOver) await close(id)
    new LegacyServer()
    const client = await initialized(sub)
    const response = await listen(client, { 'sallyport-task': isOver ? handle : NOBODYS })
    expect(response.headers.get('content-type')).toContain('json')
    expect((await verdict(response)).code).toBe(isOver ? 'task_ended' : 'task_unknown')
  })
})

describe('a call that is open under a task of its token', () => {
  it('gets nothing any more once that is over', async () => {
    await sql('UPDATE issuers SET opens_tasks = 1')
    const sub = await newUser()
    const server = new LegacyServer()
    const ends = Math.floor(Date.now() / 1000) + 3
    const details = [{ type: 'mcp_task', purpose: 'notes', expires_at: ends }]
    const bearer = await token({ sub, claims: { txn: 't', authorization_details: details } })
    const client = await initialized(sub, {}, { token: bearer })
    const events = new EventReader(await within(client, toolCall('note')))
    await wait(ends * 1000 - Date.now() + 300)
    server.streams[0]!.answer({ content: [{ type: 'text', text: 'done' }] })
    expect(JSON.stringify(await events.message())).toContain('sallyport/refusal')
  })
})

describe('what a server asked in a call', () => {
  const RESULT = { role: 'assistant', content: { type: 'text', text: 'hi' }, model: 'm' }
  const tools = ['crm/note', 'crm/client:*']

  /** A call under a task, in which its server asks the client for something. */
  const asked = async () => {
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'client:sampling', 'write', 1)",
    )
    const sub = await newUser()
    const { id, handle = '' } = await open(notes({ subject: sub, tools }))
    const server = new LegacyServer()
    const client = await initialized(sub, { sampling: {} })
    const events = new EventReader(await within(client, toolCall('note')))
    const params = { messages: [], maxTokens: 1 }
    server.streams[0]!.send({ jsonrpc: '2.0', id: 3, method: 'sampling/createMessage', params })
    const question = await events.message()
    const answer = async (headers: Record<string, string> = {}) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: question?.['id'], result: RESULT })
      return (await within(client, body, { headers })).status
    }
    const told = () => server.seen.filter(({ body }) => body.includes('assistant')).length
    return { sub, id, handle, answer, told }
  }

  it('is not answered once its task is over', async () => {
    const { sub, id, answer, told } = await asked()
    await close(id)
    expect(await answer()).not.toBe(202)
    const other = await open(notes({ subject: sub, tools }))
    expect(await answer({ 'sallyport-task': other.handle ?? '' })).not.toBe(202)
    expect(told()).toBe(0)
  })

  it('is answered under that task, and no other', async () => {
    const { sub, handle, answer, told } = await asked()
    const other = await open(notes({ subject: sub, tools }))
    expect(await answer({ 'sallyport-task': other.handle ?? '' })).not.toBe(202)
    expect(await answer()).not.toBe(202)
    expect(told()).toBe(0)
    expect(await answer({ 'sallyport-task': handle })).toBe(202)
    expect(told()).toBe(1)
  })
})
