import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { forgetEverything } from '../../support/worker/isolate.ts'
import { logOf, outcomeOf } from '../../support/worker/log.ts'
import {
  answerOf,
  asText,
  event,
  pin,
  seenAsPinned,
  sends,
  serve,
} from '../../support/worker/upstream.ts'
import {
  behaviour,
  inThisWorld,
  newUser,
  post,
  sessionKey,
  sql,
  token,
  toolCall,
  UPSTREAM,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const SECRET = 'what-must-not-pass'

const field = (pointer: string, optional = 0) =>
  `INSERT INTO tool_results (tenant, server, tool, pointer, resource_type, optional)
   VALUES ('acme', 'crm', 'note', '${pointer}', 'customer', ${optional})`

/** Only what is internal may be seen; `c-1` is. */
beforeEach(() =>
  sql(
    "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
    "INSERT INTO resources (tenant, type, id, sensitivity) VALUES ('acme', 'customer', 'c-1', 'internal')",
    'UPDATE policies SET condition = \'targets.all(t, t.sensitivity == "internal")\'',
  ),
)

async function ask() {
  const sub = await newUser()
  const response = await post(toolCall('note'), { token: await token({ sub }) })
  return { sub, response, text: await response.clone().text() }
}

const said = async () => {
  const { response, text } = await ask()
  return { code: (await verdict(response)).code, leaks: text.includes(SECRET) }
}

const WITHHELD = { code: 'result_withheld', leaks: false }

const result = (value: unknown) => sends(JSON.stringify(answerOf(value)))
const FINE = asText({ items: [{ id: 'c-1' }] })

describe('a result that would carry text past its reading', () => {
  beforeEach(() => sql(field('/items/*/id')))

  it.each<[string, object]>([
    ['`isError`', { isError: SECRET }],
    ['`isError`, deep inside', { isError: { SECRET } }],
    [
      'a member of `_meta` that the protocol keeps',
      { _meta: { 'io.modelcontextprotocol/related-task': SECRET } },
    ],
    ['the name of such a member', { _meta: { [`io.modelcontextprotocol/${SECRET}`]: 1 } }],
  ])('in %s', async (_, members) => {
    result({ ...FINE, ...members })
    expect(await said()).toEqual(WITHHELD)
  })

  it.each<[string, object]>([
    ['its token', { progressToken: SECRET, progress: 1 }],
    ['its number', { progressToken: 1, progress: SECRET }],
    ['its total', { progressToken: 1, progress: 1, total: { SECRET } }],
  ])('in progress that runs ahead, as %s', async (_, params) => {
    const note = { jsonrpc: '2.0', method: 'notifications/progress', params }
    sends(event(note) + event(answerOf(FINE)), 'text/event-stream')
    const { text } = await ask()
    expect(text.includes(SECRET)).toBe(false)
  })

  it('after the answer in the same stream', async () => {
    sends(event(answerOf(FINE)) + event(answerOf({ content: SECRET })), 'text/event-stream')
    expect((await ask()).text.includes(SECRET)).toBe(false)
  })

  it('in an error without an id', async () => {
    sends(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: 1, message: SECRET } }))
    expect(await said()).toEqual(WITHHELD)
  })

  it('with a status that says otherwise', async () => {
    sends(
      JSON.stringify(answerOf({ content: [{ type: 'text', text: SECRET }] })),
      'application/json',
      404,
    )
    expect((await ask()).text.includes(SECRET)).toBe(false)
  })
})

describe('a result that would hide what it holds', () => {
  const hidden = { id: SECRET }
  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ id: `${SECRET}-${n}` }))

  it.each([1_001, 10_000, 10_001, 20_000])(
    'among %i others, where a name is optional',
    async (count) => {
      await sql(field('/items/*/id', 1))
      result(asText({ items: many(count) }))
      expect(await said()).toEqual(WITHHELD)
    },
  )

  it.each<[string, unknown]>([
    ['an object instead of a list', { items: { 0: hidden } }],
    ['a list in the list', { items: [[hidden]] }],
    ['a text in the list', { items: [SECRET] }],
    ['a list around it all', [{ items: [hidden] }]],
    ['a text instead of a list', { items: JSON.stringify([hidden]) }],
  ])('in %s, where a name is optional', async (_, value) => {
    await sql(field('/items/*/id', 1))
    result(asText(value))
    expect(await said()).toEqual(WITHHELD)
  })

  it('behind what another tenant has at the same upstream, whatever the policies say', async () => {
    await sql(
      field('/items/*/id'),
      'UPDATE policies SET condition = NULL',
      "INSERT INTO tenants (id) VALUES ('globex')",
      `INSERT INTO servers (name, tenant, url) VALUES ('gx', 'globex', '${UPSTREAM}')`,
      "INSERT INTO resource_types (tenant, name) VALUES ('globex', 'customer')",
      `INSERT INTO resources (tenant, type, id) VALUES ('globex', 'customer', '${SECRET}')`,
    )
    result(asText({ items: [{ id: 'c-1' }, hidden] }))
    expect(await said()).toEqual(WITHHELD)
    result(asText({ items: [{ id: 'c-1' }, { id: 'c-2' }] }))
    expect((await verdict((await ask()).response)).code).toBe('allowed')
  })
})

describe('what is said of a result that is kept back', () => {
  beforeEach(() => sql(field('/items/*/id')))

  it('is the same whatever it holds', async () => {
    const shape = async (value: unknown) => {
      result(value)
      const { response, text } = await ask()
      const same = text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'D').replace(/"id":\d+/, '')
      return [response.status, [...response.headers], same]
    }
    const one = await shape(asText({ items: [{ id: 'c-9' }] }))
    expect(await shape(asText({ items: [{ id: 'c-1' }, {}] }))).toEqual(one)
    expect(
      await shape(asText({ items: Array.from({ length: 2_000 }, (_, n) => ({ id: n })) })),
    ).toEqual(one)
    expect(await shape({ content: [{ type: 'text', text: SECRET }] })).toEqual(one)
    expect(await shape({ isError: true, content: [{ type: 'text', text: SECRET }] })).toEqual(one)
  })

  // The tool has acted: a client that sends the call again makes it act twice.
  it('invites nobody to repeat the call while D1 is down', async () => {
    behaviour.upstream = async (request) => {
      // Without this table the facts cannot be read.
      await sql('ALTER TABLE consents RENAME TO consents_away')
      result(FINE)
      return behaviour.upstream(request)
    }
    const { sub, response, text } = await ask()
    await sql('ALTER TABLE consents_away RENAME TO consents')
    const [allowed] = await logOf(sub)
    expect(await outcomeOf(sub, allowed?.id ?? '')).toMatchObject({ outcome: 'withheld' })
    expect(response.headers.get('retry-after')).toBeNull()
    expect(text).not.toContain('"retryable":true')
  })

  it.each<[string, readonly object[], string]>([
    ['is looked at again, and is no reason where it is as it was', [{ name: 'note' }], 'allowed'],
    ['is one where it has changed', [{ name: 'note', title: 'x' }], 'result_withheld'],
    ['is one where it is gone', [], 'result_withheld'],
  ])('a definition that nobody has seen lately %s', async (_, tools, code) => {
    // An isolate looks five times a second at most.
    await forgetEverything()
    const hash = await pin({ name: 'note' })
    await seenAsPinned('note', hash)
    behaviour.upstream = async (request) => {
      await seenAsPinned('note', hash, 601)
      serve({ tools: () => tools, result: () => FINE })
      return behaviour.upstream(request)
    }
    expect((await verdict((await ask()).response)).code).toBe(code)
  })

  it('and a grant that ended meanwhile is one', async () => {
    behaviour.upstream = async (request) => {
      await sql(
        "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'client', 'acme-agent')",
      )
      result(FINE)
      return behaviour.upstream(request)
    }
    expect((await verdict((await ask()).response)).code).toBe('result_withheld')
  })

  it('leaves the call counted as done', async () => {
    result(asText({ items: [{ id: 'c-9' }] }))
    const { sub } = await ask()
    const [allowed] = await logOf(sub)
    await outcomeOf(sub, allowed?.id ?? '')
    const states = await runInDurableObject(
      env.SESSIONS.getByName(await sessionKey(sub)),
      (_, { storage }) => storage.sql.exec('SELECT state FROM events ORDER BY sequence').toArray(),
    )
    expect(states).toEqual([{ state: 'withheld' }, { state: 'denied' }])
  })
})
