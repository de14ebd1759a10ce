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
import { inThisWorld, ISSUER, newUser, sql, toolCall } from '../../support/worker/world.ts'

inThisWorld()

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const openTask = (id: string, subject: string, tools = '["*"]') =>
  sql(
    `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, tools, opened_by, expires_at)
     VALUES ('acme', '${id}', '${ISSUER}', '${subject}', 'acme-agent', 'work', '${tools}', '${subject}', ${Date.now() + 60_000})`,
  )
const closeTask = (id: string) =>
  sql(`UPDATE tasks SET closed_at = ${Date.now()}, closed_by = 'x' WHERE id = '${id}'`)

const RESULT = { content: [{ type: 'text', text: 'done' }] }

const begin = async (task: string | null) => {
  const sub = await newUser()
  if (task !== null) await openTask(task, sub)
  const server = new LegacyServer()
  const client = await initialized(sub)
  const events = new EventReader(await within(client, toolCall('note')))
  return { sub, server, client, events, stream: server.streams[0]! }
}

describe('a call that is open', () => {
  it.each([['t1'], [null]])('under %j goes on when another task is opened', async (task) => {
    const { sub, events, stream } = await begin(task)
    await wait(1_200)
    await openTask('t2', sub, '["crm/other"]')
    await wait(1_200)
    stream.answer(RESULT)
    expect(await events.message()).toMatchObject({ result: RESULT })
  })

  it('ends with its task, also where another one is open', async () => {
    const { sub, events, stream } = await begin('t1')
    await wait(1_200)
    await openTask('t2', sub)
    await closeTask('t1')
    expect(JSON.stringify(await events.message())).toContain('sallyport/refusal')
    await vi.waitFor(() => expect(stream.isCancelled).toBe(true))
    const last = (await logOf(sub)).at(-1)
    expect(last).toMatchObject({ decision: 'deny', reason: 'result_withheld' })
  })
})

describe('an answer that comes in another stream', () => {
  const broken = async () => {
    const begun = await begin('t1')
    const { stream, events } = begun
    stream.raw('id: e-1\ndata:\n\n')
    const id = idOf(await events.next()) ?? ''
    stream.end()
    expect(await events.next()).toBeNull()
    return { ...begun, id }
  }

  it('is decided under the task of its call, and not of the stream', async () => {
    const { sub, server, client, stream, id } = await broken()
    await closeTask('t1')
    await openTask('t2', sub)
    const again = new EventReader(await listen(client, { 'last-event-id': id }))
    server.streams.at(-1)!.send({
      jsonrpc: '2.0',
      id: stream.request.message?.id,
      result: RESULT,
    })
    const said = JSON.stringify(await again.message())
    expect(said).toContain('sallyport/refusal')
    expect(said).not.toContain('done')
    await again.leave()
  })

  it('is passed on while that task is open, whatever else is', async () => {
    const { sub, server, client, stream, id } = await broken()
    const reading = listen(client, { 'last-event-id': id })
    const again = new EventReader(await reading)
    await openTask('t2', sub, '["crm/other"]')
    server.streams.at(-1)!.send({
      jsonrpc: '2.0',
      id: stream.request.message?.id,
      result: RESULT,
    })
    expect(await again.message()).toMatchObject({ result: RESULT })
    await again.leave()
  })
})
