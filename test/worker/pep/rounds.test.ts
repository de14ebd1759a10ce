import { describe, expect, it, vi } from 'vitest'
import { ask, reply, ABLE } from '../../support/worker/modern.ts'
import {
  behaviour,
  inThisWorld,
  newUser,
  seen,
  sql,
  token,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const UPSTREAM_STATE = 'of the server, ünïcode'
const FORM = { method: 'elicitation/create', params: { mode: 'form', message: 'm' } }

/** Asks once, then answers. */
function asking(
  inputRequests: unknown = { k: FORM },
  requestState: unknown = UPSTREAM_STATE,
): void {
  behaviour.upstream = async (request) => {
    const { id, params } = (await request.json()) as { id: number; params: Params }
    const result =
      params.inputResponses === undefined
        ? {
            resultType: 'input_required',
            inputRequests,
            ...(requestState !== null && { requestState }),
          }
        : { resultType: 'complete', content: [{ type: 'text', text: 'done' }] }
    return Response.json({ jsonrpc: '2.0', id, result })
  }
}

interface Params {
  readonly inputResponses?: unknown
  readonly requestState?: unknown
}

const sentParams = (at: number): Params =>
  (JSON.parse(seen[at]?.body ?? '{}') as { params: Params }).params

const allowClients = (name = 'client:*'): Promise<void> =>
  sql(
    `INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', '${name}', 'write', 1)`,
  )

const CALL = { name: 'note', arguments: { a: 1 } }
const ACCEPT = { k: { action: 'accept', content: { x: 1 } } }

async function firstRound(options = {}): Promise<string> {
  const { result } = await reply(ask('tools/call', CALL, options))
  expect(result).toMatchObject({ resultType: 'input_required' })
  return String(result?.['requestState'])
}

describe('a call in two rounds', () => {
  it('carries the state of the server in one of ours, and brings it back as it was', async () => {
    asking()
    await allowClients()
    const requestState = await firstRound()
    expect(requestState).not.toBe(UPSTREAM_STATE)
    const done = await reply(ask('tools/call', { ...CALL, requestState, inputResponses: ACCEPT }))
    expect(done.result).toMatchObject({ resultType: 'complete' })
    expect(sentParams(1)).toMatchObject({
      ...CALL,
      requestState: UPSTREAM_STATE,
      inputResponses: ACCEPT,
    })
  })

  it('leaves out answers that nobody asked for', async () => {
    asking()
    await allowClients()
    const requestState = await firstRound()
    const inputResponses = { ...ACCEPT, other: { action: 'accept' } }
    await ask('tools/call', { ...CALL, requestState, inputResponses })
    expect(sentParams(1).inputResponses).toEqual(ACCEPT)
  })

  it('without a state of the server has none of ours', async () => {
    asking({ k: FORM }, null)
    await allowClients()
    const first = await reply(ask('tools/call', CALL))
    expect(first.result).not.toHaveProperty('requestState')
    const done = await reply(ask('tools/call', { ...CALL, inputResponses: ACCEPT }))
    expect(done.result).toMatchObject({ resultType: 'complete' })
    expect(sentParams(1)).not.toHaveProperty('requestState')
  })

  it('with a state and no question passes too', async () => {
    asking({})
    const requestState = await firstRound()
    await ask('tools/call', { ...CALL, requestState })
    expect(sentParams(1)).toMatchObject({ requestState: UPSTREAM_STATE })
    expect(sentParams(1)).not.toHaveProperty('inputResponses')
  })
})

describe('a state', () => {
  const refused = async (params: Record<string, unknown>, options = {}, method = 'tools/call') => {
    const before = seen.length
    const response = await ask(method, params, options)
    const said = await verdict(response.clone())
    const { error } = await reply(response)
    expect(seen).toHaveLength(before)
    return [said.code, error?.code, said.decision === null]
  }
  const INVALID = ['request_state_invalid', -32602, false]

  it('is good for its very call only', async () => {
    asking()
    await allowClients()
    const bearer = await token({ sub: await newUser() })
    const options = { token: bearer }
    const requestState = await firstRound(options)
    const round = { requestState, inputResponses: ACCEPT }
    for (const params of [
      { ...CALL, ...round, arguments: { a: 2 } },
      { ...CALL, ...round, name: 'read_all' },
      { ...CALL, ...round, requestState: UPSTREAM_STATE },
      { ...CALL, ...round, requestState: `${requestState} ` },
      { ...CALL, ...round, requestState: requestState.replace('ü', 'u') },
      { ...CALL, ...round, requestState: requestState.slice(1) },
      { ...CALL, ...round, requestState: requestState.slice(requestState.indexOf('.')) },
      { ...CALL, ...round, requestState: '' },
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await refused(params, options)).toEqual(INVALID)
    }
    // And is still good for that.
    const done = await reply(ask('tools/call', { ...CALL, ...round }, options))
    expect(done.result).toMatchObject({ resultType: 'complete' })
  })

  it('is of no use to another subject, client or agent', async () => {
    asking()
    await allowClients()
    const sub = await newUser()
    const requestState = await firstRound({ token: await token({ sub }) })
    const round = { ...CALL, requestState, inputResponses: ACCEPT }
    for (const other of [
      await token({ sub: await newUser() }),
      await token({ sub, client: 'other-agent' }),
      await token({ sub, agent: 'bot' }),
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      const [code] = await refused(round, { token: other })
      expect(code).toBe('request_state_invalid')
    }
  })

  it('is of no use to another method', async () => {
    asking()
    await allowClients('*')
    const { result } = await reply(ask('prompts/get', { name: 'p' }))
    const params = { uri: 'p:x', requestState: result?.['requestState'] }
    expect(await refused(params, {}, 'resources/read')).toEqual(INVALID)
  })

  it('ends', async () => {
    asking()
    await allowClients()
    const requestState = await firstRound()
    const now = Date.now()
    vi.spyOn(Date, 'now').mockImplementation(() => now + 61 * 60_000)
    const bearer = await token()
    const params = { ...CALL, requestState, inputResponses: ACCEPT }
    expect(await refused(params, { token: bearer })).toEqual(INVALID)
  })
})

describe('what a server asks for', () => {
  const outcome = async (options = {}) => verdict(await ask('tools/call', CALL, options))

  it('reaches no client that could not be allowed to send it', async () => {
    asking()
    expect(await outcome()).toMatchObject({ code: 'result_withheld' })
    await allowClients('client:sampling')
    expect(await outcome()).toMatchObject({ code: 'result_withheld' })
    await allowClients('client:elicitation')
    expect(await outcome()).toMatchObject({ code: 'allowed' })
    await sql(
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/client:elicitation')",
    )
    expect(await outcome()).toMatchObject({ code: 'result_withheld' })
  })

  it.each([
    ['a kind', { elicitation: {} }, { k: { method: 'sampling/createMessage', params: {} } }],
    [
      'a mode',
      { elicitation: {} },
      { k: { method: 'elicitation/create', params: { mode: 'url' } } },
    ],
    ['forms, where only urls', { elicitation: { url: {} } }, { k: FORM }],
    ['anything', {}, { k: { method: 'roots/list' } }],
    ['a method of another kind', ABLE, { k: { method: 'tools/call', params: {} } }],
    ['a list', ABLE, [FORM]],
    ['nothing', ABLE, {}],
  ])('is withheld where the client declared no such thing: %s', async (_, capabilities, asked) => {
    asking(asked, null)
    await allowClients()
    expect(await outcome({ capabilities })).toMatchObject({ code: 'upstream_malformed' })
  })

  it.each(['completion/complete', 'tools/list'])('has no place in %s', async (method) => {
    asking()
    await allowClients('*')
    const params =
      method === 'tools/list'
        ? {}
        : { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: '' } }
    expect(await verdict(await ask(method, params))).toMatchObject({ code: 'upstream_malformed' })
  })
})

describe('what a client answers', () => {
  it('is decided as a send of its kind, with the answer as arguments', async () => {
    asking()
    await allowClients()
    await sql(
      `INSERT INTO policies (tenant, id, effect, tool, condition) VALUES
        ('acme', 'no-secret', 'deny', 'client:elicitation', 'args.content.x == 2')`,
    )
    const requestState = await firstRound()
    const answer = (x: number) =>
      ask('tools/call', {
        ...CALL,
        requestState,
        inputResponses: { k: { action: 'accept', content: { x } } },
      })
    expect(await verdict(await answer(2))).toMatchObject({ code: 'denied_by_policy' })
    expect(seen).toHaveLength(1)
    expect(await verdict(await answer(1))).toMatchObject({ code: 'allowed' })
  })

  it('is of the kind that was asked for, whatever it looks like', async () => {
    asking()
    await allowClients()
    await sql(
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no-forms', 'deny', 'client:elicitation')",
    )
    // What was asked for before that was forbidden.
    await sql("DELETE FROM policies WHERE id = 'no-forms'")
    const requestState = await firstRound()
    await sql(
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no-forms', 'deny', 'client:elicitation')",
    )
    const inputResponses = { k: { role: 'assistant', content: { type: 'text', text: 'x' } } }
    const response = await ask('tools/call', { ...CALL, requestState, inputResponses })
    expect(await verdict(response)).toMatchObject({ code: 'denied_by_policy' })
  })

  it.each([
    ['of no kind', { k: { x: 1 } }],
    ['of two kinds', { k: { action: 'accept', role: 'user' } }],
  ])('without a state is all that it could be: %s', async (_, inputResponses) => {
    await allowClients('client:elicitation')
    const answer = async () => verdict(await ask('tools/call', { ...CALL, inputResponses }))
    expect(await answer()).toMatchObject({ code: 'tool_unknown' })
    expect(seen).toEqual([])
    await allowClients()
    expect(await answer()).toMatchObject({ code: 'allowed' })
  })

  it('is refused if it is no answer', async () => {
    await allowClients()
    const response = await ask('tools/call', { ...CALL, inputResponses: { k: 'accept' } })
    expect(await verdict(response)).toMatchObject({ code: 'input_unreadable' })
    expect(seen).toEqual([])
  })

  it('frees what was admitted beside it, if it is refused', async () => {
    const bearer = await token({ sub: await newUser() })
    const options = { token: bearer }
    const refusedRound = { name: 'delete_one', inputResponses: ACCEPT }
    for (let at = 0; at < 12; at += 1) {
      // oxlint-disable-next-line no-await-in-loop
      const { code } = await verdict(await ask('tools/call', refusedRound, options))
      expect(code).toBe('tool_unknown')
    }
    expect(await verdict(await ask('tools/call', { name: 'delete_one' }, options))).toMatchObject({
      code: 'allowed',
    })
  })
})
