import { beforeEach, describe, expect, it } from 'vitest'
import { EventReader, ServerStream } from '../../support/worker/legacy-server.ts'
import { ask as send, reply } from '../../support/worker/modern.ts'
import {
  behaviour,
  inThisWorld,
  message,
  newUser,
  post,
  seen,
  sql,
  token,
  verdict,
} from '../../support/worker/world.ts'
import { ask, close, notes, setUp } from '../tasks/door.ts'

inThisWorld()
beforeEach(setUp)

/** A server that makes a task of every call, with what came of it at once. */
function tasking(): void {
  behaviour.upstream = async (request) => {
    const { id, method } = (await request.json()) as { id: number; method: string }
    const task = { taskId: 'made', status: 'working', ttlMs: null }
    const result =
      method === 'tools/call'
        ? { resultType: 'task', ...task }
        : { resultType: 'complete', ...task, result: { content: [{ type: 'text', text: 'x' }] } }
    return Response.json({ jsonrpc: '2.0', id, result })
  }
}

async function actor() {
  tasking()
  const sub = await newUser()
  const bearer = await token({ sub })
  const shown = (handle?: string) => ({
    token: bearer,
    ...(handle === undefined ? {} : { headers: { 'sallyport-task': handle } }),
  })
  const make = async (handle?: string) =>
    (await verdict(await send('tools/call', { name: 'note', arguments: {} }, shown(handle)))).code
  const get = async (handle?: string, other = shown(handle)) =>
    (await verdict(await send('tasks/get', { taskId: 'made' }, other))).code
  return { sub, make, get }
}

describe('what a task of a server came to belongs to the task of the call that made it', () => {
  it('and is nobody’s once that is over, whatever is named or not', async () => {
    const { sub, make, get } = await actor()
    const { id, handle } = await ask(notes({ subject: sub }))
    expect(await make()).toBe('allowed')
    expect([await get(), await get(handle)]).toEqual(['allowed', 'allowed'])
    await close(id)
    const asked = () => seen.filter(({ body }) => body.includes('tasks/get')).length
    const before = asked()
    expect([await get(), await get(handle)]).toEqual(['task_ended', 'task_ended'])
    const other = await ask(notes({ subject: sub }))
    expect([await get(), await get(other.handle)]).toEqual(['task_ended', 'task_conflict'])
    expect(asked()).toBe(before)
  })

  it('is not had under another that is open', async () => {
    const { sub, make, get } = await actor()
    const [one, other] = [await ask(notes({ subject: sub })), await ask(notes({ subject: sub }))]
    expect(await make(one.handle)).toBe('allowed')
    expect(await get(other.handle)).toBe('task_conflict')
    expect(await get(one.handle)).toBe('allowed')
    // It goes back to one call, so nothing is ambiguous.
    expect(await get()).toBe('allowed')
  })

  it('and of a call that belonged to none is not the matter of one that was opened since', async () => {
    const { sub, make, get } = await actor()
    expect(await make()).toBe('allowed')
    const { handle } = await ask(notes({ subject: sub, tools: ['crm/read_all'] }))
    expect(await get()).toBe('allowed')
    expect(await get(handle)).toBe('task_conflict')
  })

  it('nor is it had by a token that declares nothing', async () => {
    await sql('UPDATE issuers SET opens_tasks = 1')
    const { sub, get } = await actor()
    const expires = Math.floor(Date.now() / 1000) + 60
    const details = [{ type: 'mcp_task', purpose: 'notes', expires_at: expires }]
    const declares = async (txn: string) => ({
      token: await token({ sub, claims: { txn, authorization_details: details } }),
    })
    const made = await send('tools/call', { name: 'note', arguments: {} }, await declares('t-1'))
    expect((await verdict(made)).code).toBe('allowed')
    expect(await get(undefined, await declares('t-1'))).toBe('allowed')
    expect(await get(undefined, await declares('t-2'))).toBe('task_conflict')
    expect(await get()).toBe('task_unknown')
    await close('txn:t-1')
    expect(await get(undefined, await declares('t-1'))).toBe('revoked')
  })
})

it('a list of them has those of the task that it is asked under', async () => {
  const sub = await newUser()
  const bearer = await token({ sub })
  const [one, other] = [await ask(notes({ subject: sub })), await ask(notes({ subject: sub }))]
  const all = ['a', 'b']
  let made = 0
  behaviour.upstream = async (request) => {
    const { id, method } = (await request.json()) as { id: number; method: string }
    const tasks = all.map((taskId) => ({ taskId, status: 'working', statusMessage: taskId }))
    const result = method === 'tasks/list' ? { tasks } : { task: tasks[made] }
    if (method === 'tools/call') made += 1
    return Response.json({ jsonrpc: '2.0', id, result })
  }
  const said = async (method: string, params: object, handle: string | undefined) => {
    const headers = handle === undefined ? {} : { headers: { 'sallyport-task': handle } }
    const { result } = await reply(post(message(method, params), { token: bearer, ...headers }))
    return (result?.['tasks'] as { taskId: string }[] | undefined)?.map(({ taskId }) => taskId)
  }
  for (const { handle } of [one, other]) {
    // oxlint-disable-next-line no-await-in-loop
    await said('tools/call', { name: 'note', arguments: {}, task: { ttl: 60_000 } }, handle)
  }
  expect(await said('tasks/list', {}, one.handle)).toEqual(['a'])
  expect(await said('tasks/list', {}, other.handle)).toEqual(['b'])
  expect(await said('tasks/list', {}, undefined)).toEqual([])
  await close(one.id)
  expect(await said('tasks/list', {}, undefined)).toEqual(['b'])
  expect(await said('tasks/list', {}, one.handle)).toEqual([])
})

describe('a subscription to what tasks of a server come to', () => {
  /** Until it was asked about again, after rows have moved. */
  const A_LOOK_MS = 1_700

  const listening = async (bearer: string, headers: Record<string, string> = {}) => {
    const { upstream } = behaviour
    let stream: ServerStream | null = null
    behaviour.upstream = async (request) => {
      const body = await request.clone().text()
      const message = JSON.parse(body) as { id: number; method: string }
      if (message.method !== 'subscriptions/listen') return upstream(request)
      const { signal } = request
      const none = { session: null, lastEventId: null, authorization: null }
      stream = new ServerStream({ method: 'POST', ...none, body, signal, message })
      return stream.response
    }
    const params = { notifications: { taskIds: ['made'], toolsListChanged: true } }
    const options = { token: bearer, headers }
    const events = new EventReader(await send('subscriptions/listen', params, options))
    const tells = async () => {
      const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' }
      stream?.send(changed)
      return (await events.message())?.['method'] ?? 'the end'
    }
    return { events, tells }
  }

  it('stays under the task of each call, whatever else the stream is under', async () => {
    const { sub, make } = await actor()
    expect(await make()).toBe('allowed')
    // The call had none, and the stream has this one.
    await ask(notes({ subject: sub, tools: ['crm/read_all'] }))
    const { tells, events } = await listening(await token({ sub }))
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    await sql("UPDATE clients SET active = active WHERE id = 'desk'")
    await new Promise((resolve) => setTimeout(resolve, A_LOOK_MS))
    expect(await tells()).toBe('notifications/tools/list_changed')
    await events.leave()
  })

  it('ends with the task of one of them', async () => {
    const { sub, make } = await actor()
    const { id, handle } = await ask(notes({ subject: sub }))
    expect(await make(handle)).toBe('allowed')
    await ask(notes({ subject: sub }))
    const { tells } = await listening(await token({ sub }))
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    await close(id)
    await new Promise((resolve) => setTimeout(resolve, A_LOOK_MS))
    expect(await tells()).not.toBe('notifications/tools/list_changed')
  })
})

describe('a call in rounds', () => {
  const asking = async () => {
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'client:*', 'write', 1)",
    )
    const { sub } = await actor()
    const form = { method: 'elicitation/create', params: { mode: 'form', message: 'm' } }
    behaviour.upstream = async (request) => {
      const { id, params } = (await request.json()) as { id: number; params: object }
      const result =
        'inputResponses' in params
          ? { resultType: 'complete', content: [] }
          : { resultType: 'input_required', inputRequests: { k: form }, requestState: 's' }
      return Response.json({ jsonrpc: '2.0', id, result })
    }
    const tools = ['crm/note', 'crm/client:*']
    const [one, other] = [
      await ask(notes({ subject: sub, tools })),
      await ask(notes({ subject: sub, tools })),
    ]
    const bearer = await token({ sub })
    const round = (handle: string | undefined, more: object = {}) =>
      send(
        'tools/call',
        { name: 'note', arguments: {}, ...more },
        {
          token: bearer,
          ...(handle === undefined ? {} : { headers: { 'sallyport-task': handle } }),
        },
      )
    const first = await reply(round(one.handle))
    const requestState = String(first.result?.['requestState'])
    const inputResponses = { k: { action: 'accept', content: {} } }
    const goOn = async (handle?: string) =>
      (await verdict(await round(handle, { requestState, inputResponses }))).code
    return { one, other, goOn }
  }

  it('goes on under the task that it began under', async () => {
    const { one, other, goOn } = await asking()
    expect(await goOn(other.handle)).toBe('task_conflict')
    expect(await goOn(one.handle)).toBe('allowed')
  })

  it('and not at all once that is over, whatever is named or not', async () => {
    const { one, other, goOn } = await asking()
    expect(await goOn()).toBe('allowed')
    await close(one.id)
    expect([await goOn(), await goOn(one.handle)]).toEqual(['task_ended', 'task_ended'])
    expect(await goOn(other.handle)).toBe('task_conflict')
    await close(other.id)
    expect(await goOn()).toBe('task_ended')
  })
})
