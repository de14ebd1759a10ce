import { beforeEach, describe, expect, it } from 'vitest'
import { logOf, outcomeOf } from '../../support/worker/log.ts'
import { answerOf, asText, event, sends } from '../../support/worker/upstream.ts'
import {
  ISSUER,
  behaviour,
  inThisWorld,
  message,
  newUser,
  post,
  sql,
  token,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

const SECRET = 'what-must-not-pass'

/** A search whose arguments name nothing: what it finds is decided by what is found. */
beforeEach(() =>
  sql(
    "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
    "INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES ('acme', 'crm', 'search', 'read', 1)",
    field('/items/*/id'),
    `INSERT INTO resources (tenant, type, id, owner, owner_issuer, sensitivity) VALUES
      ('acme', 'customer', 'c-1', NULL, NULL, 'internal'),
      ('acme', 'customer', 'c-2', NULL, NULL, 'confidential')`,
    'UPDATE policies SET condition = \'targets.all(t, t.sensitivity in ["public", "internal"])\'',
  ),
)

const field = (pointer: string, type: string | null = 'customer', optional = 0) =>
  `INSERT INTO tool_results (tenant, server, tool, pointer, resource_type, optional)
   VALUES ('acme', 'crm', 'search', '${pointer}', ${type === null ? 'NULL' : `'${type}'`}, ${optional})`

const items = (...ids: unknown[]) => ({ items: ids.map((id) => ({ id, text: SECRET })) })

async function search(sub?: string, meta?: object) {
  const subject = sub ?? (await newUser())
  const call = {
    name: 'search',
    arguments: { text: 'x' },
    ...(meta === undefined ? {} : { _meta: meta }),
  }
  const response = await post(message('tools/call', call), { token: await token({ sub: subject }) })
  return { sub: subject, response, text: await response.clone().text() }
}

/** The one event of a stream that holds an answer. */
const answerIn = (text: string) => {
  const data = text
    .split('\n\n')
    .map((one) => one.replace(/^data: /gm, ''))
    .find((one) => one.includes('"result"') || one.includes('"error"'))
  return verdict(new Response(data ?? '{}'))
}

describe.each(['json', 'stream'])('a result as %s', (form) => {
  const answers = (result: unknown) =>
    form === 'json'
      ? sends(JSON.stringify(answerOf(result)))
      : sends(event(answerOf(result)), 'text/event-stream')
  const codeOf = async ({ response, text }: Awaited<ReturnType<typeof search>>) =>
    form === 'json' ? (await verdict(response)).code : (await answerIn(text)).code

  it.each<[string, unknown]>([
    ['in its structured content', { content: [], structuredContent: items('c-1', 'c-2') }],
    ['in a text that is JSON', asText(items('c-2'))],
    [
      'in the second of two texts',
      { content: [...asText(items('c-1')).content, ...asText(items('c-2')).content] },
    ],
    ['that no row lists', asText(items('c-9'))],
    ['whose name cannot be read', asText(items('c-1', { id: 'c-1' }))],
    ['without a name', asText({ items: [{ text: SECRET }] })],
  ])('%s: what the actor may not see is withheld', async (_, result) => {
    answers(result)
    const found = await search()
    expect(await codeOf(found)).toBe('result_withheld')
    expect(found.text.includes(SECRET)).toBe(false)
    const [allowed, withheld, ...more] = await logOf(found.sub)
    expect(more).toEqual([])
    expect([allowed?.decision, withheld?.decision]).toEqual(['allow', 'deny'])
    expect(withheld?.reason).toBe('result_withheld')
    expect(withheld?.record.inputs.resultOf).toBe(allowed?.id)
    expect(withheld?.record.refusal?.because).toMatchObject({ reason: 'not_allowed' })
    expect(await outcomeOf(found.sub, allowed?.id ?? '')).toMatchObject({
      outcome: 'withheld',
      detail: 'result: not_allowed',
    })
  })

  it.each<[string, unknown]>([
    ['what the actor may see', { content: [], structuredContent: items('c-1') }],
    [
      'what the actor may see, twice',
      { ...asText(items('c-1', 'c-1')), structuredContent: items('c-1') },
    ],
    ['nothing found', { content: [], structuredContent: items() }],
    [
      'what says besides that it is complete, no error, and from which server',
      {
        ...asText(items('c-1')),
        isError: false,
        resultType: 'complete',
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'crm', version: '1' } },
      },
    ],
  ])('%s passes', async (_, result) => {
    answers(result)
    const found = await search()
    expect(await codeOf(found)).toBe('allowed')
    const logged = await logOf(found.sub)
    expect(logged.map(({ decision }) => decision)).toEqual(['allow'])
    expect(await outcomeOf(found.sub, logged[0]?.id ?? '')).toMatchObject({ outcome: 'committed' })
  })

  it.each<[string, unknown]>([
    ['a text that is no JSON', { content: [{ type: 'text', text: SECRET }] }],
    ['a text that is a JSON text', { content: [{ type: 'text', text: `"${SECRET}"` }] }],
    [
      'JSON with a name twice',
      { content: [{ type: 'text', text: `{"items":[],"items":[{"id":"${SECRET}"}]}` }] },
    ],
    ['an error in words', { isError: true, content: [{ type: 'text', text: SECRET }] }],
    ['a picture', { content: [{ type: 'image', data: SECRET, mimeType: 'image/png' }] }],
    ['a link', { content: [{ type: 'resource_link', uri: `https://x.example/${SECRET}` }] }],
    [
      'a text with more beside it',
      { content: [{ type: 'text', text: '{"items":[]}', annotations: { SECRET } }] },
    ],
    ['content that is no list', { content: SECRET }],
    ['structured content that is a text', { content: [], structuredContent: SECRET }],
    [
      'structured content, and a text with more',
      { content: [{ type: 'text', text: SECRET }], structuredContent: items('c-1') },
    ],
    ['a member that nobody knows', { ...asText(items('c-1')), extra: SECRET }],
    ['members of its own', { ...asText(items('c-1')), _meta: { 'example.com/x': SECRET } }],
    [
      'members of its own beside the name of its server',
      {
        ...asText(items('c-1')),
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'crm' }, 'example.com/x': SECRET },
      },
    ],
    ['`_meta` that is no object', { ...asText(items('c-1')), _meta: SECRET }],
    ['`isError` that is no boolean', { ...asText(items('c-1')), isError: SECRET }],
  ])('%s cannot be read, and is withheld', async (_, result) => {
    answers(result)
    const found = await search()
    expect(await codeOf(found)).toBe('result_withheld')
    expect(found.text.includes(SECRET)).toBe(false)
  })

  it('that is an error of the upstream is withheld', async () => {
    const error = { jsonrpc: '2.0', id: 'ID', error: { code: -32000, message: SECRET } }
    sends(
      form === 'json' ? JSON.stringify(error) : event(error),
      form === 'json' ? 'application/json' : 'text/event-stream',
    )
    const found = await search()
    expect(await codeOf(found)).toBe('result_withheld')
    expect(found.text.includes(SECRET)).toBe(false)
  })
})

describe('what is permitted', () => {
  it('comes byte for byte', async () => {
    const body =
      '{ "jsonrpc":"2.0", "result":{"structuredContent":{"items":[{"id":"c-1","n":1.10e2}]},"content":[ ]},\t"id":"ID" }'
    sends(body)
    const { response, text } = await search()
    const { id } = (await response.json()) as { id: number }
    expect(text).toBe(body.replace('"ID"', String(id)))
  })

  it('is asked of the rows as they are when the result is there', async () => {
    sends(JSON.stringify(answerOf(asText(items('c-1')))))
    const sub = await newUser()
    expect((await verdict((await search(sub)).response)).code).toBe('allowed')
    await sql("UPDATE resources SET sensitivity = 'confidential' WHERE id = 'c-1'")
    expect((await verdict((await search(sub)).response)).code).toBe('result_withheld')
    await sql("DELETE FROM tool_results WHERE pointer = '/items/*/id'")
    expect((await verdict((await search(sub)).response)).code).toBe('allowed')
  })

  it('may be said by the result itself', async () => {
    await sql("DELETE FROM tool_results WHERE tool = 'search'", field('/class', null))
    const codes: string[] = []
    for (const value of [
      'public',
      'internal',
      'confidential',
      'restricted',
      'Public',
      'x',
      7,
      null,
    ]) {
      sends(JSON.stringify(answerOf(asText({ class: value }))))
      codes.push((await verdict((await search()).response)).code)
    }
    expect(codes).toEqual([
      'allowed',
      'allowed',
      ...Array.from({ length: 6 }, () => 'result_withheld'),
    ])
  })

  it('may belong to the one who asks', async () => {
    const sub = await newUser()
    await sql(
      "UPDATE policies SET condition = 'targets.all(t, t.in_result && t.owned)'",
      `UPDATE resources SET owner = '${sub}', owner_issuer = '${ISSUER}' WHERE id = 'c-2'`,
    )
    sends(JSON.stringify(answerOf(asText(items('c-2')))))
    expect((await verdict((await search(sub)).response)).code).toBe('allowed')
    expect((await verdict((await search()).response)).code).toBe('result_withheld')
  })
})

describe('before the result', () => {
  const stream = (...notes: unknown[]) =>
    sends([...notes, answerOf(asText(items('c-1')))].map(event).join(''), 'text/event-stream')
  const progress = (params: unknown) => ({
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params,
  })

  it('messages for the log are dropped', async () => {
    stream({
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'info', data: 'FOUND c-2' },
    })
    const { text } = await search()
    expect(text).not.toContain('FOUND')
    expect((await answerIn(text)).code).toBe('allowed')
  })

  it('progress keeps its numbers and loses its words', async () => {
    stream(
      progress({
        progressToken: 1,
        progress: 2,
        total: 3,
        message: 'FOUND c-2',
        _meta: { a: 'FOUND' },
      }),
    )
    const { text } = await search(undefined, { progressToken: 1 })
    expect(text).not.toContain('FOUND')
    expect(text).toContain('{"progressToken":1,"progress":2,"total":3}')
  })

  it('and it is known by the text that the client chose, never by one of the upstream', async () => {
    const token = 'of-the-client'
    stream(
      progress({ progressToken: token, progress: 2, total: 'FOUND c-2' }),
      progress({ progressToken: 'FOUND c-2', progress: 3 }),
    )
    const { text } = await search(undefined, { progressToken: token })
    expect(text).not.toContain('FOUND')
    expect(text).toContain('{"progressToken":"of-the-client","progress":2}')
  })

  it('a tool without such rows may say what it likes', async () => {
    await sql("DELETE FROM tool_results WHERE tool = 'search'")
    stream(progress({ progressToken: 1, progress: 2, message: 'FOUND' }))
    expect((await search(undefined, { progressToken: 1 })).text).toContain('FOUND')
  })
})

describe('what cannot be looked up', () => {
  it('a thousand things are, one more is withheld', async () => {
    const many = (count: number) =>
      asText(items(...Array.from({ length: count }, (_, n) => `m-${n}`)))
    await sql(
      "INSERT INTO resources (tenant, type, id, pattern, sensitivity) VALUES ('acme', 'customer', 'm-*', 1, 'public')",
    )
    sends(JSON.stringify(answerOf(many(1000))))
    expect((await verdict((await search()).response)).code).toBe('allowed')
    sends(JSON.stringify(answerOf(many(1001))))
    const { response, text } = await search()
    expect((await verdict(response)).code).toBe('result_withheld')
    expect(text.includes(SECRET)).toBe(false)
  })

  it('a database that fails when the result is there keeps it back', async () => {
    sends(JSON.stringify(answerOf(asText(items('c-1')))))
    expect((await verdict((await search()).response)).code).toBe('allowed')
    behaviour.upstream = async (request) => {
      // Without this table the facts cannot be read.
      await sql('ALTER TABLE consents RENAME TO consents_away')
      sends(JSON.stringify(answerOf(asText(items('c-1')))))
      return behaviour.upstream(request)
    }
    const { sub, response, text } = await search()
    await sql('ALTER TABLE consents_away RENAME TO consents')
    expect(text.includes(SECRET)).toBe(false)
    const said = await verdict(response)
    const [allowed, ...more] = await logOf(sub)
    expect(said).toEqual({ status: 502, code: 'result_undecided', decision: allowed?.id })
    expect(more).toEqual([])
    expect(await outcomeOf(sub, allowed?.id ?? '')).toMatchObject({
      outcome: 'withheld',
      detail: 'result_undecided',
    })
  })
})
