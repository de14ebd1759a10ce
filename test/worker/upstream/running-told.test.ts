import { describe, expect, it, vi } from 'vitest'
import { nextLook } from '../../support/worker/exchange.ts'
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
import { inThisWorld, newUser, sql, token, UPSTREAM } from '../../support/worker/world.ts'

inThisWorld()
withRunningTasks()

describe('a server that cannot be told', () => {
  const outages: readonly [string, (server: TaskServer) => TaskServer['cancel'], number | null][] =
    [
      ['is down', () => () => Promise.reject(new TypeError('connection refused')), null],
      ['fails', () => () => new Response('oops', { status: 500 }), 500],
      [
        'asks to come again',
        () => () => new Response(null, { status: 503, headers: { 'retry-after': '7' } }),
        503,
      ],
      ['does not know us', () => () => new Response(null, { status: 401 }), 401],
      ['does not know us, and says so', (server) => (sent) => server.error(sent, -32602, 403), 403],
      [
        'sends us elsewhere',
        () => () =>
          new Response(null, { status: 307, headers: { location: 'https://evil.example' } }),
        307,
      ],
      ['says something else', () => () => Response.json({ hello: 'world' }), 200],
      ['has a fault', (server) => (sent) => server.error(sent, -32603), 200],
    ]
  it.each(outages)('because it %s is told again', async (_what, answer, status) => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    const works = server.cancel
    server.cancel = answer(server)
    await revoke('subject', sub)
    await nextLook(sub)
    await tellAgain(sub)
    await vi.waitFor(() => expect(server.told).toHaveLength(2))
    server.cancel = works
    await vi.waitFor(async () => {
      await tellAgain(sub)
      expect(server.running.size).toBe(0)
    })
    const [ended, failed, cancelled] = await taskEvents(sub)
    expect(ended).toMatchObject({ event: 'ended' })
    expect(failed).toMatchObject({ event: 'failed', status, attempts: 1 })
    expect(cancelled).toMatchObject({ event: 'cancelled', status: 200 })
    expect(cancelled?.attempts).toBeGreaterThanOrEqual(3)
  })

  it.each<[string, number, string]>([
    ['knows nothing of it', -32602, 'over'],
    ['cancels no tasks', -32601, 'lapsed'],
  ])('because it %s is told once', async (_what, code, event) => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    server.cancel = (sent) => server.error(sent, code, 400)
    await revoke('subject', sub)
    await nextLook(sub)
    await tellAgain(sub)
    expect(server.told).toHaveLength(1)
    expect(await taskEvents(sub)).toMatchObject([{ event: 'ended' }, { event, status: 400 }])
  })

  it('is given up after an hour, and that is written down', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    server.cancel = () => new Response(null, { status: 500 })
    await revoke('subject', sub)
    await nextLook(sub)
    await inObject(sub, `UPDATE running_tasks SET ended_at = ${Date.now() - 61 * 60_000}`)
    await tellAgain(sub)
    await vi.waitFor(async () => expect(await rowsOf(sub)).toEqual([]))
    expect((await taskEvents(sub)).map(({ event }) => event)).toEqual(['ended', 'failed', 'lapsed'])
  })

  it('is told nothing where its row is gone', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await sql(
      'DELETE FROM tool_labels',
      'DELETE FROM tools',
      "DELETE FROM servers WHERE name = 'crm'",
    )
    await nextLook(sub)
    expect(server.told).toEqual([])
    expect(await taskEvents(sub)).toMatchObject([
      { event: 'ended', cause: 'server_gone' },
      { event: 'lapsed', detail: 'its server has no row any more', carried: null },
    ])
  })

  it('is told nothing where its name went to another house', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await sql(
      'DELETE FROM tool_labels',
      'DELETE FROM tools',
      "DELETE FROM servers WHERE name = 'crm'",
      "INSERT INTO tenants (id) VALUES ('globex')",
      `INSERT INTO servers (name, tenant, url) VALUES ('crm', 'globex', '${UPSTREAM}')`,
    )
    await nextLook(sub)
    expect(server.told).toEqual([])
    expect((await taskEvents(sub)).map(({ event }) => event)).toEqual(['ended', 'lapsed'])
  })

  it('is told where its row says now', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    const asked: string[] = []
    const inner = vi.mocked(fetch).getMockImplementation()
    vi.mocked(fetch).mockImplementation(async (input, init) => {
      asked.push(new Request(input, init).url)
      if (inner === undefined) throw new Error('no world')
      return inner(input, init)
    })
    await sql("UPDATE servers SET url = 'https://crm.example/mcp/moved' WHERE name = 'crm'")
    await revoke('subject', sub)
    await nextLook(sub)
    expect(asked).toEqual(['https://crm.example/mcp/moved'])
  })

  it('is told by the clock also where nobody can say anything of another', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    const other = await start(server, { token: await token({ sub }) })
    await openTask('t1', sub, 1_500)
    await start(server, { token: await token({ sub }) })
    await sql('ALTER TABLE revocations RENAME TO revocations_gone')
    try {
      await new Promise((resolve) => setTimeout(resolve, 1_550))
      await nextLook(sub)
      expect([...server.running]).toEqual([other])
    } finally {
      await sql('ALTER TABLE revocations_gone RENAME TO revocations')
    }
  })

  it('is not told where nobody can say that its ground is gone', async () => {
    const server = new TaskServer()
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await sql('ALTER TABLE revocations RENAME TO revocations_gone')
    try {
      await nextLook(sub)
      expect(server.told).toEqual([])
      expect(await rowsOf(sub)).toHaveLength(1)
    } finally {
      await sql('ALTER TABLE revocations_gone RENAME TO revocations')
    }
  })
})

describe('what is sent', () => {
  it('is a message of 2026-07-28 with its copies', async () => {
    const server = new TaskServer()
    server.nameOf = () => 'tâche 1'
    const sub = await newUser()
    await start(server, { token: await token({ sub }) })
    await revoke('subject', sub)
    await nextLook(sub)
    const [told] = server.told
    expect(told?.headers.get('mcp-protocol-version')).toBe('2026-07-28')
    expect(told?.headers.get('mcp-method')).toBe('tasks/cancel')
    expect(told?.headers.get('mcp-name')).toBe('=?base64?dMOiY2hlIDE=?=')
    expect(told?.headers.get('authorization')).toBeNull()
    const { params } = JSON.parse(told?.body ?? '') as {
      params: { _meta: Record<string, unknown> }
    }
    expect(params._meta).toEqual({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {
        extensions: { 'io.modelcontextprotocol/tasks': {} },
      },
    })
  })
})
