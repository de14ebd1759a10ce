import { describe, expect, it } from 'vitest'
import { canonicalDefinition } from '../../../src/mcp/definition.ts'
import { sha256 } from '../../../src/sha256.ts'
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

type Members = Record<string, unknown>

const rows = (...names: string[]): Promise<void> =>
  sql(
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ${names
      .map((name) => `('acme', 'crm', '${name}', 'read', 1)`)
      .join(', ')}`,
  )

const deny = (tool: string, condition = 'true'): Promise<void> =>
  sql(
    `INSERT INTO policies (tenant, id, effect, tool, condition) VALUES ('acme', 'd-${tool}', 'deny', '${tool}', '${condition}')`,
  )

/** A server that answers each method with this, whoever asks. */
function answering(results: Record<string, Members>): void {
  behaviour.upstream = async (request) => {
    const { id, method } = (await request.json()) as { id: number; method: string }
    const result = { resultType: 'complete', ...results[method] }
    return Response.json({ jsonrpc: '2.0', id, result })
  }
}

const code = async (response: Promise<Response>): Promise<string> =>
  (await verdict(await response)).code

const alone = async (): Promise<CallOptions> => ({ token: await token({ sub: await newUser() }) })

describe('what one row forbids', () => {
  it.each([
    ['https://internal.example/*', 'https:/internal.example/x'],
    ['https://internal.example/*', 'https:internal.example/x'],
    ['file:///etc/*', 'file:/etc/passwd'],
    ['file:///etc/*', 'file://localhost/etc/passwd'],
    ['http://127.0.0.1/*', 'http://127.1/x'],
    ['http://127.0.0.1/*', 'http://0x7f.0.0.1/x'],
    ['http://127.0.0.1/*', 'http://2130706433/x'],
    ['crm://people/a@b', 'crm://people/a%40b'],
    ['crm://people/a:b', 'crm://people/a%3Ab'],
    ['crm://people/a(b', 'crm://people/a%28b'],
  ])('%s is not had as %s', async (forbidden, uri) => {
    await rows('*')
    await deny(`resource:${forbidden}`)
    for (const method of ['resources/read', 'resources/subscribe']) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await code(post(message(method, { uri })))).toBe('tool_unknown')
    }
    expect(seen).toEqual([])
  })

  it('is not had by a tool that is named like a pattern', async () => {
    await deny('note')
    for (const name of ['note*', '*', 'n*e', 'resource:note', 'prompt:*', 'client:roots']) {
      // oxlint-disable-next-line no-await-in-loop
      const said = await code(post(message('tools/call', { name })))
      expect(['tool_unknown', 'params_invalid']).toContain(said)
    }
    expect(seen).toEqual([])
  })
})

describe('a completion', () => {
  const complete = (
    uri: string,
    argument: Members,
    context: Members = {},
    options: CallOptions = {},
  ) =>
    reply(
      ask(
        'completion/complete',
        { ref: { type: 'ref/resource', uri }, argument, context },
        options,
      ),
    )

  it('tells no names of what is forbidden, nor how many there are', async () => {
    answering({ 'completion/complete': { completion: { values: ['secret', 'open'], total: 2 } } })
    await rows('resource:crm://*')
    await deny('resource:crm://secret/*')
    await deny('resource:crm://open/secret')
    const kind = await complete('crm://{kind}/{id}', { name: 'kind', value: '' })
    expect(kind.result).toMatchObject({ completion: { values: ['open'] } })
    expect(kind.result?.['completion']).not.toHaveProperty('total')
    const of = async (name: string) =>
      complete('crm://{kind}/{id}', { name: 'id', value: '' }, { arguments: { kind: name } })
    expect((await of('secret')).result).toMatchObject({ completion: { values: [] } })
    expect((await of('open')).result).toMatchObject({ completion: { values: ['open'] } })
  })

  it('of a row that is a template tells what could be read under it', async () => {
    answering({ 'completion/complete': { completion: { values: ['1', 'a/b', '..', 'a@b'] } } })
    await rows('resource:crm://people/{id}')
    const { result } = await complete('crm://people/{id}', { name: 'id', value: '' })
    expect(result).toMatchObject({ completion: { values: ['1', 'a@b'] } })
  })

  it.each(['city', 'City'])(
    'has each argument once: not %s in its context as well',
    async (name) => {
      await rows('prompt:*')
      await deny('prompt:*', 'args.city == "x"')
      const params = {
        ref: { type: 'ref/prompt', name: 'p' },
        argument: { name: 'city', value: 'y' },
        context: { arguments: { [name]: 'x' } },
      }
      expect(await code(post(message('completion/complete', params)))).toBe('params_invalid')
      expect(seen).toEqual([])
    },
  )
})

describe('an answer of a server', () => {
  it.each([
    ['tools/list', { tools: [{ name: 'note' }], Tools: [{ name: 'hidden' }], total: 2 }],
    ['prompts/list', { prompts: [], tools: [{ name: 'hidden' }] }],
    ['resources/directory/read', { resources: [], Resources: [{ uri: 'test://hidden' }] }],
    ['resources/directory/read', { resources: { uri: 'test://hidden' } }],
  ])('to %s has no second list: %o', async (method, result) => {
    answering({ [method]: result })
    await rows('resource:test://')
    const params = method === 'resources/directory/read' ? { uri: 'test://' } : {}
    const said = await reply(ask(method, params))
    expect(said.result).toBeDefined()
    expect(JSON.stringify(said.result)).not.toMatch(/hidden|total/)
  })

  it('does not ask in letters that were not looked at', async () => {
    const asks = { k: { method: 'sampling/createMessage', params: {} } }
    answering({ 'tools/call': { ResultType: 'input_required', InputRequests: asks } })
    expect(await code(ask('tools/call', { name: 'note' }))).toBe('upstream_malformed')
  })

  it('about a directory shows what is pinned in it', async () => {
    const pinned = { uri: 'skill://a/x', name: 'x' }
    const hash = await sha256(canonicalDefinition(pinned))
    answering({
      'resources/list': { resources: [pinned] },
      'resources/directory/read': { resources: [pinned] },
    })
    await rows('resource:skill://a/')
    await sql(
      `INSERT INTO tools (tenant, server, name, access, labels_reviewed, definition_hash, definition) VALUES
        ('acme', 'crm', 'resource:skill://a/x', 'read', 1, '${hash}', '${JSON.stringify(pinned)}')`,
    )
    await ask('resources/list')
    const read = async () => reply(ask('resources/directory/read', { uri: 'skill://a/' }))
    expect((await read()).result).toMatchObject({ resources: [pinned] })
    await sql('UPDATE tool_sightings SET differed_at = matched_at + 1')
    expect((await read()).result).toMatchObject({ resources: [] })
  })

  it('with templates without end is soon done', async () => {
    const resourceTemplates = Array.from({ length: 40_000 }, (_, at) => ({
      uriTemplate: `{+any}/${at}`,
      name: 'n',
    }))
    answering({ 'resources/templates/list': { resourceTemplates } })
    for (let from = 0; from < 1_000; from += 100) {
      const some = Array.from({ length: 100 }, (_, at) => `resource:crm://${from + at}/*`)
      // oxlint-disable-next-line no-await-in-loop
      await rows(...some)
    }
    await deny('*')
    const start = Date.now()
    await reply(ask('resources/templates/list'))
    expect(Date.now() - start).toBeLessThan(8_000)
  })
})

describe('what a client says', () => {
  it.each(['Action', 'ACTION'])('is an answer to a form, however it writes %s', async (action) => {
    await rows('client:sampling')
    const inputResponses = { k: { role: 'user', [action]: 'accept', content: { x: 1 } } }
    expect(await code(ask('tools/call', { name: 'note', inputResponses }))).toBe('tool_unknown')
    expect(seen).toEqual([])
  })

  it.each([{ 'mcp-method': 'tools/call' }, { 'mcp-name': 'delete_one' }, { 'mcp-param-id': '7' }])(
    'without a method has nothing to copy: %o',
    async (headers) => {
      const pong = JSON.stringify({ jsonrpc: '2.0', id: 'ping:1', result: {} })
      for (const method of ['POST', 'GET', 'DELETE']) {
        const accept = 'application/json, text/event-stream'
        const options = { method, headers: { accept, ...headers } }
        // oxlint-disable-next-line no-await-in-loop
        expect(await code(post(method === 'POST' ? pong : '', options))).toBe('header_mismatch')
      }
      expect(seen).toEqual([])
    },
  )

  it('of one task is not said of another', async () => {
    const options = await alone()
    behaviour.upstream = async (request) => {
      const { id } = (await request.json()) as { id: number }
      return Response.json({ jsonrpc: '2.0', id, result: { task: { taskId: 'a' } } })
    }
    const send = (method: string, params: Members) => code(post(message(method, params), options))
    await send('tools/call', { name: 'note', task: {} })
    const related = (taskId: unknown) => ({
      taskId: 'a',
      _meta: { 'io.modelcontextprotocol/related-task': taskId },
    })
    for (const other of [{ taskId: 'b' }, {}, 'b', [{ taskId: 'a' }], null]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await send('tasks/result', related(other))).toBe('params_invalid')
    }
    expect(await send('tasks/cancel', related({ taskId: 'a' }))).not.toBe('params_invalid')
    await sql("INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/note')")
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await send(method, { taskId: 'a' })).toBe('revoked')
    }
  })
})

describe('one budget', () => {
  const ACCEPT = { k: { action: 'accept' } }

  /** Asks in each round, with a state. */
  function asking(): void {
    const inputRequests = { k: { method: 'elicitation/create', params: { message: 'm' } } }
    answering({
      'tools/call': { resultType: 'input_required', requestState: 's', inputRequests },
    })
  }

  it('is used by each round, whose state may come back as often as it likes', async () => {
    asking()
    await rows('client:elicitation')
    const options = await alone()
    const first = await reply(ask('tools/call', { name: 'delete_one' }, options))
    const round = {
      name: 'delete_one',
      requestState: first.result?.['requestState'],
      inputResponses: ACCEPT,
    }
    const codes: string[] = []
    // oxlint-disable-next-line no-await-in-loop
    for (let at = 0; at < 12; at += 1) codes.push(await code(ask('tools/call', round, options)))
    expect(codes.filter((one) => one === 'allowed')).toHaveLength(9)
    expect(codes.at(-1)).toBe('denied_by_sequence')
  })

  it('is not passed by many rounds at once', async () => {
    asking()
    await rows('client:elicitation')
    const options = await alone()
    const round = { name: 'delete_one', inputResponses: ACCEPT }
    const codes = await Promise.all(
      Array.from({ length: 20 }, () => code(ask('tools/call', round, options))),
    )
    expect(codes.filter((one) => one === 'allowed')).toHaveLength(10)
    expect(seen).toHaveLength(10)
    expect((await call('delete_one', options)).code).toBe('denied_by_sequence')
  })

  it('of a state is that of one server', async () => {
    asking()
    await rows('client:elicitation')
    await sql(
      "INSERT INTO servers (name, tenant, url, internal) SELECT 'crm2', tenant, url, internal FROM servers WHERE name = 'crm'",
      `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm2', '*', 'read', 1)`,
    )
    const sub = await newUser()
    const first = await reply(ask('tools/call', { name: 'note' }, { token: await token({ sub }) }))
    const there = await token({ sub, claims: { aud: 'http://localhost:8787/crm2/mcp' } })
    const round = { name: 'note', requestState: first.result?.['requestState'] }
    expect(await code(ask('tools/call', round, { token: there, server: 'crm2' }))).toBe(
      'request_state_invalid',
    )
  })
})
