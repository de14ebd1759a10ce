import { describe, expect, it } from 'vitest'
import { ask, reply } from '../../support/worker/modern.ts'
import {
  behaviour,
  call,
  inThisWorld,
  message,
  newUser,
  post,
  seen,
  sql,
  token,
  verdict,
  type CallOptions,
} from '../../support/worker/world.ts'

inThisWorld()

interface Sent {
  readonly id: number
  readonly method: string
  readonly params: { readonly name?: string; readonly taskId?: string }
}

/** A server that makes a task of every call; its names can be guessed. */
function tasking(result: Record<string, unknown> = {}): void {
  let made = 0
  behaviour.upstream = async (request) => {
    const { id, method, params } = (await request.json()) as Sent
    const task = { taskId: `task-${params.taskId ?? (made += 1)}`, status: 'working', ttlMs: null }
    const answers: Record<string, unknown> = {
      'tools/call': { resultType: 'task', ...task },
      'tasks/get': { resultType: 'complete', ...task, taskId: params.taskId, ...result },
      'tasks/update': { resultType: 'complete' },
      'tasks/cancel': { resultType: 'complete' },
    }
    return Response.json({ jsonrpc: '2.0', id, result: answers[method] })
  }
}

async function makeTask(options: CallOptions = {}, name = 'note'): Promise<string> {
  const { result } = await reply(ask('tools/call', { name, arguments: { a: 1 } }, options))
  expect(result).toMatchObject({ resultType: 'task' })
  return String(result?.['taskId'])
}

const get = async (taskId: string, options: CallOptions = {}) =>
  verdict(await ask('tasks/get', { taskId }, options))

describe('a task of a server', () => {
  it('is asked for by whoever made it', async () => {
    tasking()
    const taskId = await makeTask()
    expect(await get(taskId)).toMatchObject({ code: 'allowed' })
    for (const method of ['tasks/update', 'tasks/cancel']) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await verdict(await ask(method, { taskId }))).toMatchObject({ code: 'allowed' })
    }
  })

  it('of another actor is as unknown as none', async () => {
    tasking()
    const sub = await newUser()
    const taskId = await makeTask({ token: await token({ sub }) })
    const before = seen.length
    for (const other of [
      await token({ sub: await newUser() }),
      await token({ sub, client: 'other-agent' }),
      await token({ sub, agent: 'bot' }),
    ]) {
      for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
        // oxlint-disable-next-line no-await-in-loop
        const response = await ask(method, { taskId }, { token: other })
        // oxlint-disable-next-line no-await-in-loop
        const { error } = await reply(response.clone())
        // oxlint-disable-next-line no-await-in-loop
        const { code, decision } = await verdict(response)
        expect([code, error?.code, decision === null]).toEqual([
          'server_task_unknown',
          -32602,
          false,
        ])
      }
    }
    const mine = { token: await token({ sub }) }
    expect(await get(`${taskId}0`, mine)).toMatchObject({ code: 'server_task_unknown' })
    expect(await get(taskId.toUpperCase(), mine)).toMatchObject({ code: 'server_task_unknown' })
    expect(seen).toHaveLength(before)
  })

  it('of one server is unknown at another', async () => {
    tasking()
    const sub = await newUser()
    await sql(
      `INSERT INTO servers (name, tenant, url, internal) SELECT 'crm2', tenant, url, internal FROM servers WHERE name = 'crm'`,
    )
    const taskId = await makeTask({ token: await token({ sub }) })
    const there = await token({ sub, claims: { aud: 'http://localhost:8787/crm2/mcp' } })
    expect(await get(taskId, { token: there, server: 'crm2' })).toMatchObject({
      code: 'server_task_unknown',
    })
  })

  it('is decided again, as the call that made it, with its arguments', async () => {
    tasking()
    const taskId = await makeTask()
    await sql(
      `INSERT INTO policies (tenant, id, effect, tool, condition) VALUES
        ('acme', 'no-1', 'deny', 'note', 'args.a == 1')`,
    )
    expect(await get(taskId)).toMatchObject({ code: 'denied_by_policy' })
    await sql("DELETE FROM policies WHERE id = 'no-1'")
    expect(await get(taskId)).toMatchObject({ code: 'allowed' })
    await sql("INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/note')")
    expect(await get(taskId)).toMatchObject({ code: 'revoked' })
  })

  it('may be asked for as often as it takes, and counts once', async () => {
    tasking()
    const options = { token: await token({ sub: await newUser() }) }
    const taskId = await makeTask(options, 'delete_one')
    for (let at = 0; at < 12; at += 1) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await get(taskId, options)).toMatchObject({ code: 'allowed' })
    }
    for (let at = 0; at < 9; at += 1) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await verdict(await ask('tools/call', { name: 'delete_one' }, options))).toMatchObject(
        {
          code: 'allowed',
        },
      )
    }
    expect(await call('delete_one', options)).toMatchObject({ code: 'denied_by_sequence' })
  })

  it('brings the labels of its tool when its output arrives, however late', async () => {
    tasking({ status: 'completed', result: { content: [{ type: 'text', text: 'all' }] } })
    await sql("UPDATE sequence_rules SET timespan_s = 1 WHERE id = 'no-export'")
    const options = { token: await token({ sub: await newUser() }) }
    const taskId = await makeTask(options, 'read_all')
    await new Promise((resolve) => setTimeout(resolve, 1_600))
    expect(await get(taskId, options)).toMatchObject({ code: 'allowed' })
    expect(await call('export_all', options)).toMatchObject({ code: 'denied_by_sequence' })
  })

  it('has its answers decided as sends', async () => {
    tasking()
    const taskId = await makeTask()
    const inputResponses = { k: { action: 'accept' } }
    const update = async () => verdict(await ask('tasks/update', { taskId, inputResponses }))
    expect(await update()).toMatchObject({ code: 'tool_unknown' })
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'client:elicitation', 'write', 1)",
    )
    expect(await update()).toMatchObject({ code: 'allowed' })
  })

  it('asks only for what this actor may send', async () => {
    const inputRequests = { k: { method: 'elicitation/create', params: { message: 'm' } } }
    tasking({ status: 'input_required', inputRequests })
    const taskId = await makeTask()
    expect(await get(taskId)).toMatchObject({ code: 'result_withheld' })
    await sql(
      "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'client:*', 'write', 1)",
    )
    expect(await get(taskId)).toMatchObject({ code: 'allowed' })
  })

  it('cannot be given a name that another call has', async () => {
    behaviour.upstream = async (request) => {
      const { id } = (await request.json()) as Sent
      const result = { resultType: 'task', taskId: 'same', status: 'working' }
      return Response.json({ jsonrpc: '2.0', id, result })
    }
    const options = { token: await token({ sub: await newUser() }) }
    await makeTask(options, 'note')
    const again = await ask('tools/call', { name: 'delete_one' }, options)
    expect(await verdict(again)).toMatchObject({ code: 'result_undecided' })
  })

  it('is not for a client that knows none', async () => {
    tasking()
    const response = await ask('tools/call', { name: 'note' }, { capabilities: {} })
    expect(await verdict(response)).toMatchObject({ code: 'upstream_malformed' })
    const missing = await reply(ask('tasks/get', { taskId: '1' }, { capabilities: {} }))
    expect(missing.error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
    })
  })
})

describe('a task of 2025-11-25', () => {
  it('is listed and fetched by its actor alone', async () => {
    const tasks = [{ taskId: 'a' }, { taskId: 'b' }]
    behaviour.upstream = async (request) => {
      const { id, method } = (await request.json()) as Sent
      const answers: Record<string, unknown> = {
        'tools/call': { task: { taskId: 'a', status: 'working' } },
        'tasks/list': { tasks },
        'tasks/result': { content: [] },
      }
      return Response.json({ jsonrpc: '2.0', id, result: answers[method] })
    }
    const options = { token: await token({ sub: await newUser() }) }
    const send = (method: string, params: unknown) => post(message(method, params), options)
    await send('tools/call', { name: 'note', task: { ttl: 60_000 } })
    const listed = await reply(send('tasks/list', {}))
    expect(listed.result).toEqual({ tasks: [{ taskId: 'a' }] })
    expect(await verdict(await send('tasks/result', { taskId: 'a' }))).toMatchObject({
      code: 'allowed',
    })
    expect(await verdict(await send('tasks/result', { taskId: 'b' }))).toMatchObject({
      code: 'server_task_unknown',
    })
    const others = { token: await token({ sub: await newUser() }) }
    expect((await reply(post(message('tasks/list'), others))).result).toEqual({ tasks: [] })
  })
})
