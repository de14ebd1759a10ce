import { describe, expect, it } from 'vitest'
import { answerOf, event, sends } from '../../support/worker/upstream.ts'
import { inThisWorld, newUser, sql } from '../../support/worker/world.ts'
import { codeOf, onlyRules, rawCall, seedMail } from './second-server.ts'

inThisWorld()

const broad = (most = 500) => ({
  id: 'broad',
  on_label: 'sink.export',
  type: 'value_sum',
  rules: '["source.confidential"]',
  timespan_s: 1_800,
  field: 'result_rows',
  condition: `{"gte":${most}}`,
})

const answer = (result: unknown) => sends(JSON.stringify(answerOf(result)))

/** What is said to an export after a read that brought this. */
async function exportAfter(result: unknown): Promise<string> {
  await onlyRules(broad())
  const sub = await newUser()
  answer(result)
  const response = await rawCall(sub, 'read_all')
  await response.text()
  expect(response.status).toBe(200)
  answer({ content: [] })
  return codeOf(sub, 'export_all')
}

const many = (count: number) => Array.from({ length: count }, (_, n) => ({ id: n, name: `n${n}` }))
const text = (value: string) => ({ type: 'text', text: value })
const lines = (count: number) => Array.from({ length: count }, (_, n) => `name ${n}`).join('\n')
const byId = (count: number) =>
  Object.fromEntries(many(count).map(({ id, name }) => [`id-${id}`, name]))

describe('a result with many rows counts as many, wherever they stand', () => {
  it.each<[string, unknown]>([
    ['in a list', { content: [], structuredContent: { rows: many(500) } }],
    [
      'in a hundred thousand rows',
      { content: [], structuredContent: { rows: Array.from({ length: 100_000 }, (_, n) => n) } },
    ],
    [
      'under another key',
      { content: [], structuredContent: { total: 0, rows: [], extra: { data: many(500) } } },
    ],
    ['in lists in lists', { content: [], structuredContent: { rows: [many(250), many(250)] } }],
    [
      'as objects in an object',
      {
        content: [],
        structuredContent: Object.fromEntries(many(500).map((one) => [`k${one.id}`, one])),
      },
    ],
    [
      'as columns',
      {
        content: [],
        structuredContent: {
          id: many(250).map(({ id }) => id),
          name: many(250).map(({ name }) => name),
        },
      },
    ],
    ['as text that is JSON', { content: [text(JSON.stringify(many(500)))] }],
    ['as text', { content: [text(lines(500))] }],
    ['as lines of a text in JSON', { content: [], structuredContent: { csv: lines(501) } }],
    ['as blocks', { content: many(500).map(({ id }) => text(JSON.stringify({ id }))) }],
    ['as an image', { content: [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }] }],
    ['as sound', { content: [{ type: 'audio', data: 'AAAA', mimeType: 'audio/wav' }] }],
    [
      'as bytes of a resource',
      { content: [{ type: 'resource', resource: { uri: 'file:///x', blob: 'AAAA' } }] },
    ],
    [
      'as text of a resource',
      { content: [{ type: 'resource', resource: { uri: 'file:///x', text: lines(500) } }] },
    ],
    [
      'deeper than is read',
      { content: [], structuredContent: JSON.parse('['.repeat(40) + ']'.repeat(40)) as unknown },
    ],
  ])('%s', async (_, result) => {
    expect(await exportAfter(result)).toBe('denied_by_sequence')
  })

  it.each<[string, unknown]>([
    [
      'in its text, beside structured content that says there are none',
      { content: [text(lines(500))], structuredContent: { rows: [], total: 0 } },
    ],
    [
      'in JSON in its text, beside structured content that says there are none',
      { content: [text(JSON.stringify(many(500)))], structuredContent: { rows: [] } },
    ],
    [
      'half in its text, half in structured content',
      { content: [text(JSON.stringify(many(260)))], structuredContent: { rows: many(240) } },
    ],
    ['in a member of the result that nobody knows', { content: [], rows: many(500) }],
    ['in `_meta`', { content: [], _meta: { rows: many(500) } }],
    ['in `_meta` of a block', { content: [{ ...text('ok'), _meta: { rows: many(500) } }] }],
    [
      'in annotations of a block that is JSON',
      { content: [{ ...text('{}'), annotations: { rows: many(500) } }] },
    ],
    ['in a text of a block that nobody knows', { content: [{ ...text('{}'), more: lines(500) }] }],
    [
      'in one beside a resource',
      { content: [{ type: 'resource', resource: { uri: 'x:y', text: '', more: many(500) } }] },
    ],
    ['in `isError`', { content: [], isError: many(500) }],
    [
      'in `resultType` of an answer that is complete',
      { content: [text('{}')], structuredContent: {}, other: lines(500) },
    ],
    ['in names of members', { content: [], structuredContent: byId(600) }],
  ])('%s', async (_, result) => {
    expect(await exportAfter(result)).toBe('denied_by_sequence')
  })

  // A text in JSON counts by its lines: whatever else parts its rows is not seen.
  it.fails('in one text of JSON that commas part', async () => {
    const csv = many(2_000)
      .map(({ name }) => name)
      .join(',')
    expect(await exportAfter({ content: [], structuredContent: { csv } })).toBe(
      'denied_by_sequence',
    )
  })

  it.each<[string, unknown]>([
    ['one record', { content: [], structuredContent: { id: 1, name: 'x', mail: 'a@x.example' } }],
    ['ten records', { content: [], structuredContent: { rows: many(10) } }],
    [
      'ten records, in text as well',
      {
        content: [text(JSON.stringify({ rows: many(10) }))],
        structuredContent: { rows: many(10) },
      },
    ],
    [
      '400 records, in text as well',
      {
        content: [text(JSON.stringify({ rows: many(400) }))],
        structuredContent: { rows: many(400) },
      },
    ],
    [
      '400 records, in text as well, spaced and in another order',
      {
        content: [text(JSON.stringify({ total: 1, rows: many(400) }, null, 2))],
        structuredContent: { rows: many(400), total: 1 },
      },
    ],
    [
      'a sentence beside one record',
      { content: [text('Found one customer.')], structuredContent: { id: 1 } },
    ],
    [
      'a server that names itself',
      {
        content: [text('{}')],
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'x', version: '1' } },
      },
    ],
    ['a record with forty fields', { content: [], structuredContent: byId(40) }],
  ])('%s is no broad read', async (_, result) => {
    expect(await exportAfter(result)).toBe('allowed')
  })
})

describe('rows are counted of the answer that the client gets, in every form', () => {
  it.each<[string, (body: string) => void]>([
    ['a stream', (body) => sends(`data: ${body}\n\n`, 'text/event-stream')],
    [
      'a stream of many lines',
      (body) =>
        sends(
          body
            .replaceAll(',', ',\n')
            .split('\n')
            .map((line) => `data: ${line}`)
            .join('\n') + '\n\n',
          'text/event-stream',
        ),
    ],
    [
      'a stream with an answer behind the answer',
      (body) => sends(`data: ${body}\n\n${event(answerOf({ content: [] }))}`, 'text/event-stream'),
    ],
    ['an error status', (body) => sends(body, 'application/json', 500)],
    [
      'another spelling of the media type',
      (body) => sends(body, 'Application/JSON; charset=utf-8'),
    ],
  ])('%s', async (_, serve) => {
    await onlyRules(broad())
    const sub = await newUser()
    serve(JSON.stringify(answerOf({ content: [], structuredContent: { rows: many(500) } })))
    await (await rawCall(sub, 'read_all')).text()
    answer({ content: [] })
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('many small reads over two servers and two clients add up', async () => {
    await seedMail()
    await onlyRules(broad(50))
    const sub = await newUser()
    answer({ content: [], structuredContent: { rows: many(10) } })
    for (const way of [{}, { client: 'other-agent' }, { agent: 'bot' }]) {
      await (await rawCall(sub, 'read_all', {}, way)).text()
    }
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await (await rawCall(sub, 'find', {}, { server: 'mail', client: 'other-agent' })).text()
    await (await rawCall(sub, 'find', {}, { server: 'mail' })).text()
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('a server whose rows nobody asked for until now: those of before are without bound', async () => {
    await sql('DELETE FROM sequence_rules')
    const sub = await newUser()
    answer({ content: [], structuredContent: { rows: many(1) } })
    await (await rawCall(sub, 'read_all')).text()
    await onlyRules(broad())
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('a threshold that is raised in the middle of a session counts the same rows', async () => {
    await onlyRules(broad(10))
    const sub = await newUser()
    answer({ content: [], structuredContent: { rows: many(20) } })
    await (await rawCall(sub, 'read_all')).text()
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
    await onlyRules(broad(21))
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
    await onlyRules({ ...broad(20), timespan_s: 600 })
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })
})
