import { beforeEach, describe, expect, it } from 'vitest'
import { ask as send, reply } from '../../support/worker/modern.ts'
import {
  behaviour,
  call,
  inThisWorld,
  ISSUER,
  newUser,
  seen,
  sql,
  token,
  verdict,
  type CallOptions,
} from '../../support/worker/world.ts'
import { ask, notes, setUp } from '../tasks/door.ts'

inThisWorld()
beforeEach(async () => {
  await setUp()
  await sql(
    "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'client:*', 'write', 1)",
  )
})

const CALL = { name: 'note', arguments: { a: 1 } }
const FORM = { method: 'elicitation/create', params: { mode: 'form', message: 'm' } }
const answers = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, { action: 'accept', content: { x: 1 } }]))

interface Sent {
  readonly id: number
  readonly method: string
  readonly params: { readonly inputResponses?: unknown; readonly taskId?: string }
}

/** A server that asks something first, of each of these names. */
function asking(...names: string[]): void {
  behaviour.upstream = async (request) => {
    const { id, params } = (await request.json()) as Sent
    const inputRequests = Object.fromEntries(names.map((name) => [name, FORM]))
    const result =
      params.inputResponses === undefined
        ? { resultType: 'input_required', inputRequests, requestState: 's' }
        : { resultType: 'complete', content: [{ type: 'text', text: 'done' }] }
    return Response.json({ jsonrpc: '2.0', id, result })
  }
}

/** A server that makes a task of every call. */
function tasking(): void {
  behaviour.upstream = async (request) => {
    const { id, method, params } = (await request.json()) as Sent
    const task = { taskId: params.taskId ?? 'made', status: 'working', ttlMs: null }
    const result =
      method === 'tools/call'
        ? { resultType: 'task', ...task }
        : method === 'tasks/get'
          ? { resultType: 'complete', ...task }
          : { resultType: 'complete' }
    return Response.json({ jsonrpc: '2.0', id, result })
  }
}

async function actor(maxCalls: number) {
  const sub = await newUser()
  const options: CallOptions = { token: await token({ sub }) }
  const bounds = { tools: ['crm/note', 'crm/client:*'], max_calls: maxCalls }
  await ask(notes({ subject: sub, ...bounds }))
  const code = async (method: string, params: Record<string, unknown>) =>
    (await verdict(await send(method, params, options))).code
  return { sub, options, code }
}

describe('each thing that is decided counts', () => {
  const rounds = async (maxCalls: number, ...names: string[]) => {
    asking(...names)
    const one = await actor(maxCalls)
    const { result } = await reply(send('tools/call', CALL, one.options))
    const requestState = String(result?.['requestState'])
    const second = () =>
      one.code('tools/call', { ...CALL, requestState, inputResponses: answers(...names) })
    return { ...one, second }
  }

  it('a call that answers a question counts two', async () => {
    const { code, second } = await rounds(3, 'k')
    expect(await second()).toBe('allowed')
    expect(await code('tools/call', CALL)).toBe('task_spent')
  })

  it('and of one that has no room for its answers nothing is counted', async () => {
    const { code, second } = await rounds(3, 'k', 'l')
    expect(await second()).toBe('task_spent')
    expect(await second()).toBe('task_spent')
    // What was given back, and no more than that.
    expect(await code('tools/call', CALL)).toBe('allowed')
    expect(await code('tools/call', CALL)).toBe('allowed')
    expect(await code('tools/call', CALL)).toBe('task_spent')
  })

  it('and of many at once no more than there is room for, to the last place', async () => {
    const { code, second } = await rounds(9, 'k')
    const codes = await Promise.all(Array.from({ length: 20 }, second))
    const sent = seen.filter(({ body }) => body.includes('"inputResponses"')).length
    expect(codes.filter((one) => one === 'allowed')).toHaveLength(sent)
    expect(codes.filter((one) => one === 'task_spent')).toHaveLength(20 - sent)
    expect(sent).toBeLessThanOrEqual(4)
    // What was given back is told to the session beside the answer.
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (let left = 8 - 2 * sent; left > 0; left -= 1) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await code('tools/call', CALL)).toBe('allowed')
    }
    expect(await code('tools/call', CALL)).toBe('task_spent')
  })

  it('to ask what a task of the server came to counts nothing, to answer in it does', async () => {
    tasking()
    const { code } = await actor(2)
    expect(await code('tools/call', CALL)).toBe('allowed')
    for (let time = 0; time < 3; time += 1) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await code('tasks/get', { taskId: 'made' })).toBe('allowed')
    }
    const update = { taskId: 'made', inputResponses: answers('k') }
    expect(await code('tasks/update', update)).toBe('allowed')
    expect(await code('tasks/update', update)).toBe('task_spent')
    expect(await code('tasks/get', { taskId: 'made' })).toBe('allowed')
    expect(await code('tools/call', CALL)).toBe('task_spent')
  })

  it('a question about a task that does not reach the server gives nothing back', async () => {
    tasking()
    const { code } = await actor(1)
    expect(await code('tools/call', CALL)).toBe('allowed')
    await sql("UPDATE servers SET url = 'https://nobody.example/mcp'")
    await code('tasks/get', { taskId: 'made' })
    await sql("UPDATE servers SET url = 'https://crm.example/mcp'")
    expect(await code('tools/call', CALL)).toBe('task_spent')
  })
})

describe('a row that SQL wrote', () => {
  const ending = (sub: string, end: string) =>
    sql(
      `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, max_calls, expires_at)
       VALUES ('acme', 'long', '${ISSUER}', '${sub}', 'acme-agent', '', 'boss', 1, ${end})`,
    )

  it('may end when the years have five digits, and is counted', async () => {
    const sub = await newUser()
    await ending(sub, '253402300799000')
    const bearer = await token({ sub })
    expect((await call('note', { token: bearer })).code).toBe('allowed')
    expect((await call('note', { token: bearer })).code).toBe('task_spent')
  })

  it.each(['253402300799001', '9223372036854775807', "'never'", '1e300'])(
    'does not end at %s',
    async (end) => {
      await expect(ending('alice', end)).rejects.toThrow(/constraint|REAL|TEXT/i)
    },
  )
})
