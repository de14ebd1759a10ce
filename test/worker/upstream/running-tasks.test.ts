import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import { MOST_RUNNING } from '../../../src/durable-objects/running-tasks.ts'
import { PolicyStore } from '../../../src/storage/policy-store.ts'
import { ask as modern } from '../../support/worker/modern.ts'
import { nextLook, objectOf, restart } from '../../support/worker/exchange.ts'
import {
  closeTask,
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
import {
  inThisWorld,
  ISSUER,
  message,
  newUser,
  post,
  sql,
  token,
  verdict,
} from '../../support/worker/world.ts'
import { ask, close, notes, setUp } from '../tasks/door.ts'

inThisWorld()
withRunningTasks()

const ERAS = ['modern', 'legacy'] as const

describe.each(ERAS)('a %s task that runs on at its server', (era) => {
  it.each<[string, (sub: string) => Promise<void>, string]>([
    ['its subject', (sub) => revoke('subject', sub), 'revoked:subject'],
    ['its client', () => revoke('client', 'acme-agent'), 'revoked:client'],
    ['the token of its call', () => revoke('token', 'jti-1'), 'revoked:token'],
    ['its tool', () => revoke('tool', 'crm/note'), 'revoked:tool'],
    ['its server', () => revoke('server', 'crm'), 'revoked:server'],
    ['its issuer', () => revoke('issuer', ISSUER), 'revoked:issuer'],
    ['its tenant', () => sql('UPDATE tenants SET active = 0'), 'tenant_inactive'],
    ['the task of ours, closed', () => closeTask('t1'), 'task_ended'],
    ['the task of ours, revoked', () => revoke('task', 't1'), 'revoked:task'],
  ])('is ended with %s', async (_what, change, cause) => {
    const server = new TaskServer(era)
    const sub = await newUser()
    await openTask('t1', sub)
    const taskId = await start(server, { token: await token({ sub, claims: { jti: 'jti-1' } }) })
    await nextLook(sub)
    expect(server.told).toEqual([])
    await change(sub)
    await nextLook(sub)
    expect(server.running.size).toBe(0)
    expect(server.told.map((told) => told.taskId)).toEqual([taskId])
    expect(await taskEvents(sub)).toMatchObject([
      { event: 'ended', cause, server_task: taskId, task: 't1' },
      { event: 'cancelled', status: 200, attempts: 1, carried: 'none', server_task: taskId },
    ])
    // Said once.
    await nextLook(sub)
    expect(server.told).toHaveLength(1)
    expect(await rowsOf(sub)).toEqual([])
  })

  it('is left alone when it came to its end before', async () => {
    const server = new TaskServer(era)
    const sub = await newUser()
    const bearer = await token({ sub })
    const taskId = await start(server, { token: bearer })
    const get = () =>
      era === 'modern'
        ? modern('tasks/get', { taskId }, { token: bearer })
        : post(message('tasks/get', { taskId }), { token: bearer })
    await get()
    expect(await rowsOf(sub)).toHaveLength(1)
    server.status = 'completed'
    await get()
    await vi.waitFor(async () => expect(await rowsOf(sub)).toEqual([]))
    await revoke('subject', sub)
    await nextLook(sub)
    expect(server.told).toEqual([])
    expect(await taskEvents(sub)).toEqual([])
  })
})

describe('the end of a task of ours', () => {
  it('is felt at once where a desk closes it', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await setUp()
    const opened = await ask(notes({ subject: sub }))
    const taskId = await start(server, { token: await token({ sub }) })
    // By itself it would not look again so soon.
    await runInDurableObject(await objectOf(sub), (_, { storage }) =>
      storage.setAlarm(Date.now() + 60_000),
    )
    expect((await close(opened.id)).status).toBe(200)
    await vi.waitFor(() => expect(server.told.map((told) => told.taskId)).toEqual([taskId]), {
      timeout: 2_500,
    })
  })

  it('is noticed by itself, however it was closed', { timeout: 15_000 }, async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await openTask('t1', sub)
    await start(server, { token: await token({ sub }) })
    await closeTask('t1')
    await vi.waitFor(() => expect(server.running.size).toBe(0), { timeout: 8_000 })
  })

  it('also by the clock', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await openTask('t1', sub, 2_000)
    await start(server, { token: await token({ sub }) })
    await nextLook(sub)
    expect(server.running.size).toBe(1)
    // Nothing moved, and the last look was a moment ago: the clock alone says it.
    await vi.waitFor(() => expect(server.running.size).toBe(0), { timeout: 4_000 })
  })

  it('leaves alone what runs under another one, or for another person', async () => {
    const server = new TaskServer()
    const [one, other] = [await newUser(), await newUser()]
    await openTask('t1', one)
    await openTask('t2', other)
    const ended = await start(server, { token: await token({ sub: one }) })
    const own = await start(server, { token: await token({ sub: other }) })
    await closeTask('t1')
    await openTask('t3', one)
    const later = await start(server, { token: await token({ sub: one }) })
    await nextLook(one)
    await nextLook(other)
    expect(server.told.map((told) => told.taskId)).toEqual([ended])
    expect([...server.running]).toEqual([own, later])
  })

  it('does not wait for the end of the token', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    const exp = Math.floor(Date.now() / 1000) + 2
    await start(server, { token: await token({ sub, claims: { exp } }) })
    await new Promise((resolve) => setTimeout(resolve, exp * 1000 + 20 - Date.now()))
    await nextLook(sub)
    // To come back with a new token is what a task is for.
    expect(server.told).toEqual([])
    expect(await rowsOf(sub)).toHaveLength(1)
  })
})

describe('what is written down', () => {
  it('is there before the client learns that a task runs, or the client learns nothing', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    // Made, so that its storage can be broken.
    await inObject(sub, 'ALTER TABLE running_tasks RENAME TO gone')
    const params = { name: 'note', arguments: {} }
    const response = await modern('tools/call', params, { token: await token({ sub }) })
    expect(await verdict(response.clone())).toMatchObject({ code: 'result_undecided' })
    expect(await response.text()).not.toContain('task-1')
    await inObject(sub, 'ALTER TABLE gone RENAME TO running_tasks')
    expect(server.running.size).toBe(1)
  })

  it('outlives a restart, also in the middle of telling', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    const taskId = await start(server, { token: await token({ sub }) })
    await restart(sub)
    server.cancel = () => new Response(null, { status: 503 })
    await revoke('subject', sub)
    await nextLook(sub)
    await restart(sub)
    server.cancel = (sent, task) => {
      server.running.delete(task)
      return server.result(sent, {})
    }
    await tellAgain(sub)
    await vi.waitFor(() => expect(server.running.size).toBe(0))
    expect(server.told.map((told) => told.taskId)).toEqual([taskId, taskId])
  })

  it('stays with what started it, when the server gives a name once more', async () => {
    const server = new TaskServer()
    server.nameOf = () => 'same'
    const sub = await newUser()
    await start(server, { token: await token({ sub, claims: { jti: 'jti-1' } }) })
    await start(server, { token: await token({ sub, claims: { jti: 'jti-2' } }) })
    await revoke('token', 'jti-2')
    await nextLook(sub)
    expect(server.told).toEqual([])
    await revoke('token', 'jti-1')
    await nextLook(sub)
    expect(server.told).toHaveLength(1)
  })

  it('is bounded: whoever starts too many loses the oldest, and nobody else does', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    const others = await start(server, { token: await token({ sub, client: 'other-agent' }) })
    const oldest = await start(server, { token: await token({ sub }) })
    const row = `INSERT INTO running_tasks (id, actor, server, task, begun, forget_at)
      SELECT 'x' || value, actor, server, 'x' || value, begun, forget_at
      FROM running_tasks, generate_series(1, ${MOST_RUNNING - 1}) WHERE task = '${oldest}'`
    await inObject(sub, row.replace(/generate_series\(1, (\d+)\)/, seriesOf(MOST_RUNNING - 1)))
    await nextLook(sub)
    expect(server.told).toEqual([])
    await start(server, { token: await token({ sub }) })
    await nextLook(sub)
    await vi.waitFor(() => expect(server.told.map((told) => told.taskId)).toEqual([oldest]))
    await vi.waitFor(async () => expect(await rowsOf(sub)).toHaveLength(MOST_RUNNING + 1))
    expect(server.running).toContain(others)
    expect(await taskEvents(sub)).toMatchObject([
      { event: 'ended', cause: 'too_many' },
      { event: 'cancelled' },
    ])
  })

  it('ends with the time for which the server keeps it', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await inObject(sub, 'UPDATE running_tasks SET forget_at = 1')
    await nextLook(sub)
    expect(await rowsOf(sub)).toEqual([])
    expect(server.told).toEqual([])
  })

  it('is heard from nobody in the wrong place', async () => {
    const server = new TaskServer()
    const [one, other] = [await newUser(), await newUser()]
    await start(server, { token: await token({ sub: one }) })
    const [row] = (await rowsOf(one)) as { begun: string }[]
    const begun = JSON.parse(row?.begun ?? '') as { context: { actor: unknown } }
    const wrong = (await objectOf(other)) as unknown as {
      began(task: unknown): Promise<boolean>
      over(task: unknown): Promise<void>
    }
    expect(await wrong.began({ ...begun, taskId: 'x' })).toBe(false)
    expect(await rowsOf(other)).toEqual([])
  })

  it('is proof: the log changes nothing', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await revoke('subject', sub)
    await nextLook(sub)
    expect(await taskEvents(sub)).toHaveLength(2)
    for (const text of [
      "UPDATE server_task_events SET event = 'over'",
      'DELETE FROM server_task_events',
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      await expect(env.DECISIONS.prepare(text).run()).rejects.toThrow('append-only')
    }
  })

  it('is asked about only where a row moved', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await nextLook(sub)
    const gather = vi.spyOn(PolicyStore.prototype, 'gather')
    for (let look = 0; look < 3; look += 1) {
      // oxlint-disable-next-line no-await-in-loop
      await nextLook(sub)
    }
    expect(gather).not.toHaveBeenCalled()
    // Also a row that is read afresh, and of which no compiled one knows.
    await openTask('t9', await newUser())
    await nextLook(sub)
    expect(gather).toHaveBeenCalledOnce()
    gather.mockRestore()
  })

  it('is told to the log also where its server says first that it is over', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    const taskId = await start(server, { token: await token({ sub, claims: { jti: 'jti-1' } }) })
    server.cancel = () => new Response(null, { status: 500 })
    await revoke('token', 'jti-1')
    await nextLook(sub)
    server.status = 'failed'
    await modern('tasks/get', { taskId }, { token: await token({ sub }) })
    await vi.waitFor(async () => expect(await rowsOf(sub)).toEqual([]))
    expect((await taskEvents(sub)).map(({ event }) => event)).toEqual(['ended', 'failed', 'over'])
  })

  it('costs nothing for a call that makes no task', async () => {
    const sub = await newUser()
    expect(
      await verdict(
        await post(message('tools/call', { name: 'note' }), { token: await token({ sub }) }),
      ),
    ).toMatchObject({ code: 'allowed' })
    expect(await rowsOf(sub)).toEqual([])
    expect(
      await runInDurableObject(await objectOf(sub), (_, { storage }) => storage.getAlarm()),
    ).toBeNull()
  })
})

describe('an answer that nobody gets to see', () => {
  it('is read for what runs', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer')",
    )
    const serve = server.serve.bind(server)
    server.serve = async (request) => {
      // While the server makes the task; its result is decided afresh.
      if (server.running.size === 0) await revoke('subject', sub)
      return serve(request)
    }
    const response = await modern('tools/call', { name: 'note' }, { token: await token({ sub }) })
    expect(await verdict(response)).toMatchObject({ code: 'result_withheld' })
    await nextLook(sub)
    expect(server.told).toHaveLength(1)
  })
})

/** Numbers from one: SQLite in workerd has no `generate_series`. */
const seriesOf = (count: number): string =>
  `(SELECT value FROM json_each('${JSON.stringify(Array.from({ length: count }, (_, at) => at + 1))}'))`
