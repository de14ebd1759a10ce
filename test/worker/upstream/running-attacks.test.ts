import { describe, expect, it, vi } from 'vitest'
import { MOST_ENDING, MOST_RUNNING } from '../../../src/durable-objects/running-tasks.ts'
import { PolicyStore } from '../../../src/storage/policy-store.ts'
import { ask as modern } from '../../support/worker/modern.ts'
import { nextLook, restart, revocations, withExchange } from '../../support/worker/exchange.ts'
import {
  inObject,
  openTask,
  revoke,
  rowsOf,
  start,
  taskEvents,
  TaskServer,
  tellAgain,
  withRunningTasks,
} from '../../support/worker/running.ts'
import { inThisWorld, newUser, token } from '../../support/worker/world.ts'

inThisWorld()
withRunningTasks()

const SLOW = { timeout: 20_000 }

/** As many more of the one that was started, named `x1` and so on. */
async function copies(sub: string, count: number): Promise<void> {
  const numbers = JSON.stringify(Array.from({ length: count }, (_, at) => at + 1))
  await inObject(
    sub,
    `INSERT INTO running_tasks (id, actor, server, task, state, begun, forget_at, ended_at, attempts, next_attempt_at)
     SELECT 'x' || value, actor, server, 'x' || value, state,
       json_set(begun, '$.taskId', 'x' || value), forget_at, ended_at, attempts, next_attempt_at
     FROM running_tasks, (SELECT value FROM json_each('${numbers}')) WHERE task = 'task-1'`,
  )
}

describe('how long a server says that it keeps a task', () => {
  it.each([90_000.5, 0, -1, 1e300, 0.1])('%d is no way to be unknown', async (ttl) => {
    const server = new TaskServer()
    const sub = await newUser()
    const serve = server.serve.bind(server)
    server.serve = async (request) => {
      const answer = await serve(request)
      const text = await answer.text()
      return new Response(text.replaceAll('"ttlMs":null', `"ttlMs":${ttl}`), answer)
    }
    await start(server, { token: await token({ sub }) })
    await revoke('subject', sub)
    await nextLook(sub)
    expect(server.running.size).toBe(0)
  })
})

it('a name that is given once more is kept for as long as is said then', async () => {
  const server = new TaskServer()
  server.nameOf = () => 'same'
  const sub = await newUser()
  const bearer = await token({ sub })
  await start(server, { token: bearer })
  await inObject(sub, 'UPDATE running_tasks SET forget_at = 1')
  await start(server, { token: bearer })
  await revoke('subject', sub)
  await nextLook(sub)
  expect(server.told).toHaveLength(1)
})

describe('whoever has many tasks', () => {
  it('is asked about once for all that stand on the same', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await copies(sub, MOST_RUNNING - 1)
    const gather = vi.spyOn(PolicyStore.prototype, 'gather')
    await nextLook(sub)
    expect(gather).toHaveBeenCalledOnce()
    gather.mockRestore()
    await revoke('subject', sub)
    await nextLook(sub)
    expect(server.told).toHaveLength(MOST_RUNNING)
  })

  it(
    'takes no connections from others: a server that hangs is told little at a time',
    SLOW,
    async () => {
      const server = new TaskServer()
      const sub = await newUser()
      await start(server, { token: await token({ sub }) })
      await copies(sub, MOST_RUNNING - 1)
      server.cancel = () => new Promise(() => undefined)
      await revoke('subject', sub)
      await nextLook(sub)
      expect(server.told.length).toBeLessThan(4)
      // And nobody is forgotten.
      expect(await rowsOf(sub)).toHaveLength(MOST_RUNNING)
    },
  )

  it('is told of one after the other when its server hung on the first of them', SLOW, async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await copies(sub, 5)
    const works = server.cancel
    server.cancel = (sent, task) =>
      task === 'task-1' || task === 'x1' ? new Promise(() => undefined) : works(sent, task)
    for (const name of ['x2', 'x3', 'x4', 'x5']) server.running.add(name)
    await revoke('subject', sub)
    await nextLook(sub)
    await vi.waitFor(() => expect([...server.running]).toEqual(['task-1']), { timeout: 6_000 })
  })

  it('leaves a bounded number to be told, and the log says which are given up', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    server.cancel = () => new Response(null, { status: 500 })
    await inObject(
      sub,
      `UPDATE running_tasks SET state = 'ending', attempts = 3, next_attempt_at = ${Date.now() + 60_000}`,
    )
    await copies(sub, MOST_ENDING)
    // Another server's are not its.
    await inObject(sub, "UPDATE running_tasks SET server = 'other' WHERE task = 'x1'")
    const running = JSON.stringify(Array.from({ length: MOST_RUNNING }, (_, at) => at))
    await inObject(
      sub,
      `INSERT INTO running_tasks (id, actor, server, task, begun, forget_at)
       SELECT 'r' || value, actor, server, 'r' || value, begun, forget_at
       FROM running_tasks, (SELECT value FROM json_each('${running}')) WHERE task = 'task-1'`,
    )
    await start(server, { token: await token({ sub }) })
    const ending = await inObject(
      sub,
      "SELECT task FROM running_tasks WHERE state = 'ending' AND server = 'crm'",
    )
    expect(ending).toHaveLength(MOST_ENDING)
    expect(ending).not.toContainEqual({ task: 'task-1' })
    expect(await inObject(sub, "SELECT task FROM running_tasks WHERE server = 'other'")).toEqual([
      { task: 'x1' },
    ])
    expect(await taskEvents(sub)).toContainEqual(
      expect.objectContaining({
        event: 'lapsed',
        server_task: 'task-1',
        detail: 'too many of its server wait to be told',
      }),
    )
  })
})

describe('a task under none of ours', () => {
  it('does not end with one that was opened since', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await openTask('t9', sub)
    await revoke('task', 't9')
    await nextLook(sub)
    expect(server.told).toEqual([])
    expect(await taskEvents(sub)).toEqual([])
  })
})

describe('a server that says it was done', () => {
  it('is told again where it says in the same breath that the task goes on', async () => {
    const server = new TaskServer('legacy')
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    const works = server.cancel
    server.cancel = (sent, taskId) => server.result(sent, { taskId, status: 'working' })
    await revoke('subject', sub)
    await nextLook(sub)
    expect((await taskEvents(sub)).map(({ event }) => event)).toEqual(['ended', 'failed'])
    server.cancel = (sent, taskId) => {
      void works(sent, taskId)
      return server.result(sent, { taskId, status: 'cancelled' })
    }
    await tellAgain(sub)
    await vi.waitFor(async () => expect(await rowsOf(sub)).toEqual([]))
    expect((await taskEvents(sub)).at(-1)).toMatchObject({ event: 'cancelled', attempts: 2 })
  })
})

describe('the message that ends a task', () => {
  it('has an id that no client of the session has in use', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    server.cancel = () => new Response(null, { status: 500 })
    await revoke('subject', sub)
    await nextLook(sub)
    await tellAgain(sub)
    await vi.waitFor(() => expect(server.told).toHaveLength(2))
    const ids = server.told.map(({ body }) => (JSON.parse(body) as { id: unknown }).id)
    expect(new Set(ids).size).toBe(2)
    // Clients count, as SDKs do.
    for (const id of ids) expect(id).toBeTypeOf('string')
  })
})

describe('what a server tells of a task', () => {
  it('of another one, or at another server, makes nobody forget', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    const bearer = await token({ sub })
    const taskId = await start(server, { token: bearer })
    const other = await start(server, { token: bearer })
    server.status = 'completed'
    const serve = server.serve.bind(server)
    server.serve = async (request) =>
      new Response((await (await serve(request)).text()).replaceAll(other, taskId), {
        headers: { 'content-type': 'application/json' },
      })
    await modern('tasks/get', { taskId: other }, { token: bearer })
    const left = () => inObject(sub, 'SELECT task FROM running_tasks')
    await vi.waitFor(async () => expect(await left()).toEqual([{ task: taskId }]))
    await nextLook(sub)
    expect(await left()).toEqual([{ task: taskId }])
  })

  it('of a name that this person never started makes nobody forget', async () => {
    const server = new TaskServer()
    const [one, other] = [await newUser(), await newUser()]
    const taskId = await start(server, { token: await token({ sub: one }) })
    await start(server, { token: await token({ sub: other }) })
    server.status = 'completed'
    await modern('tasks/get', { taskId }, { token: await token({ sub: other }) })
    await modern(
      'tasks/get',
      { taskId },
      { token: await token({ sub: one, client: 'other-agent' }) },
    )
    expect(await rowsOf(one)).toHaveLength(1)
  })
})

describe('what a later age has made', () => {
  it('is not made again when that age comes back', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await inObject(sub, 'UPDATE schema_version SET version = 9')
    await restart(sub)
    await nextLook(sub)
    expect(await inObject(sub, 'SELECT version FROM schema_version')).toEqual([{ version: 9 }])
    await inObject(sub, 'UPDATE schema_version SET version = 2')
  })

  it('of an earlier one is kept', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    // An object from before there was anything of tasks in it.
    await inObject(sub, 'DROP TABLE running_tasks')
    await inObject(sub, 'DROP TABLE task_events')
    await inObject(sub, 'UPDATE schema_version SET version = 1')
    await restart(sub)
    await start(server, { token: await token({ sub }) })
    expect(await rowsOf(sub)).toHaveLength(1)
    expect(await inObject(sub, 'SELECT version FROM schema_version')).toEqual([{ version: 2 }])
  })
})

describe('tokens of an issuer', () => {
  withExchange()

  it('are taken back also where nobody can read what is kept of a task', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    // As a later age may have kept it.
    await inObject(sub, `UPDATE running_tasks SET begun = '{"version":9}'`)
    await revoke('subject', sub)
    await expect(nextLook(sub)).rejects.toThrow('undefined')
    expect(revocations).toHaveLength(1)
  })

  it('wait for no server that was told of something else', SLOW, async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    server.cancel = () => new Promise(() => undefined)
    await inObject(sub, "UPDATE running_tasks SET state = 'ending', attempts = 1, ended_at = 1")
    await revoke('subject', sub)
    const began = Date.now()
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
    expect(Date.now() - began).toBeLessThan(4_000)
  })

  it('nor is a look held up by one, where no token waits', SLOW, async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    server.cancel = () => new Promise(() => undefined)
    // As whoever starts too many leaves them, again and again.
    await inObject(sub, "UPDATE running_tasks SET state = 'ending', ended_at = 1")
    const began = Date.now()
    await nextLook(sub)
    expect(Date.now() - began).toBeLessThan(4_000)
  })
})
