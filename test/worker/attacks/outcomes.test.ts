import { afterEach, describe, expect, it, vi } from 'vitest'
import { logOf, outcomeOf } from '../../support/worker/log.ts'
import { answerOf, event, sends } from '../../support/worker/upstream.ts'
import { behaviour, inThisWorld, newUser, sql } from '../../support/worker/world.ts'
import { codeOf, onlyRules, rawCall, seedMail } from './second-server.ts'

inThisWorld()

const progress = {
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: 'row 1; row 2' },
}
const fine = answerOf({ content: [{ type: 'text', text: 'ok' }] })
const STREAM = 'text/event-stream'
const json = JSON.stringify

/** A body that breaks after what was sent of it. */
const breaking = (text: string, type: string) => {
  behaviour.upstream = () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
      pull: (controller) => controller.error(new Error('cut')),
    })
    return new Response(body, { headers: { 'content-type': type } })
  }
}

/** The wait for a first byte is over at once. */
const silent = () => {
  const real = globalThis.setTimeout
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((does: () => void, ms?: number) =>
    real(does, ms === 30_000 ? 20 : ms)) as typeof setTimeout)
  vi.mocked(globalThis.fetch).mockImplementation(
    ((previous) => (input: RequestInfo | URL, init?: RequestInit) => {
      if (!new Request(input).url.startsWith('https://crm.example')) return previous(input, init)
      return new Promise<Response>((_, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
      })
    })(vi.mocked(globalThis.fetch).getMockImplementation() ?? fetch),
  )
}

afterEach(() => vi.restoreAllMocks())

/** What may become of a call that left: none of it is known to have done what it was for. */
const failures: readonly (readonly [string, () => void])[] = [
  ['answers 500 in its own words', () => sends('<h1>oops</h1>', 'text/html', 500)],
  [
    'answers 500 with an error',
    () =>
      sends(json({ jsonrpc: '2.0', id: 'ID', error: { code: 1, message: 'no' } }), undefined, 500),
  ],
  ['answers 500 with a result', () => sends(json(fine), undefined, 500)],
  ['answers 404 with a result', () => sends(json(fine), undefined, 404)],
  [
    'answers with an error',
    () => sends(json({ jsonrpc: '2.0', id: 'ID', error: { code: 1, message: 'no' } })),
  ],
  ['answers with an isError result', () => sends(json(answerOf({ content: [], isError: true })))],
  ['answers garbage', () => sends('{"jsonrpc":')],
  ['answers nothing', () => sends('')],
  ['answers 202 without a body', () => sends('', 'text/plain', 202)],
  [
    'answers 204 without a body',
    () => (behaviour.upstream = () => new Response(null, { status: 204 })),
  ],
  ['answers another request', () => sends(json({ jsonrpc: '2.0', id: 'other', result: {} }))],
  [
    'asks the client for more',
    () => sends(json(answerOf({ resultType: 'input_required', inputRequests: [] }))),
  ],
  [
    'redirects',
    () =>
      (behaviour.upstream = () =>
        new Response(null, {
          status: 307,
          headers: { location: 'https://crm.example/mcp/other' },
        })),
  ],
  ['answers 401', () => sends('{}', 'application/json', 401)],
  ['answers 403', () => sends('{}', 'application/json', 403)],
  [
    'answers in a coding that is not read',
    () =>
      (behaviour.upstream = () =>
        new Response('x', {
          headers: { 'content-type': 'application/json', 'content-encoding': 'x-own' },
        })),
  ],
  ['answers as a stream with an error status', () => sends(event(fine), STREAM, 500)],
  [
    'closes the connection in the middle of an answer',
    () => breaking('{"jsonrpc":"2.0","id":', 'application/json'),
  ],
  ['closes a stream before its answer', () => sends(event(progress), STREAM)],
  ['sends progress and then dies', () => breaking(event(progress), STREAM)],
  [
    'asks the client for something in a stream',
    () =>
      sends(event({ jsonrpc: '2.0', id: 1, method: 'sampling/createMessage', params: {} }), STREAM),
  ],
  [
    'cannot be connected to',
    () =>
      (behaviour.upstream = () => {
        throw new Error('refused')
      }),
  ],
  ['does not answer in time', silent],
]

/** All of an answer, as a client reads it; a stream that breaks ends it. */
const ask = async (sub: string, tool: string, args: unknown = {}) => {
  const response = await rawCall(sub, tool, args)
  return response.text().catch(() => 'broken')
}

const settled = async (sub: string, at = -1) => {
  const allowed = (await logOf(sub)).filter(({ decision }) => decision === 'allow')
  return (await outcomeOf(sub, allowed.at(at)?.id ?? '')).outcome
}

describe('an upstream that may have acted counts as having acted: one that', () => {
  it.each(failures)('%s leaves its budget spent', async (_, fails) => {
    await onlyRules({
      id: 'one',
      on_label: 'sink.destructive',
      type: 'event_count',
      rules: '["sink.destructive"]',
      timespan_s: 600,
      condition: '{"gt":1}',
    })
    const sub = await newUser()
    fails()
    await ask(sub, 'delete_one')
    expect(['committed', 'withheld']).toContain(await settled(sub))
    expect(await codeOf(sub, 'delete_one')).toBe('denied_by_sequence')
  })

  it.each(failures)('%s leaves its amount and its target spent', async (_, fails) => {
    await seedMail()
    await onlyRules(
      {
        id: 'spend',
        on_label: 'sink.money',
        type: 'value_sum',
        rules: '["sink.money"]',
        timespan_s: 600,
        field: 'amount',
        condition: '{"gt":100}',
      },
      {
        id: 'fan-out',
        on_label: 'sink.message',
        type: 'value_count',
        rules: '["sink.message"]',
        timespan_s: 600,
        field: 'target',
        condition: '{"gt":1}',
      },
    )
    const sub = await newUser()
    fails()
    await ask(sub, 'pay', { amount: 60 })
    await ask(sub, 'send', { to: 'a@x.example' })
    await settled(sub)
    expect(await codeOf(sub, 'pay', { amount: 60 })).toBe('denied_by_sequence')
    expect(await codeOf(sub, 'send', { to: 'b@x.example' })).toBe('denied_by_sequence')
  })

  it.each(failures)('%s has left what it may have read', async (_, fails) => {
    const sub = await newUser()
    fails()
    await ask(sub, 'read_all')
    await settled(sub)
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })
})

describe('what is not known to have happened permits nothing: an upstream that', () => {
  const dryRunFirst = {
    id: 'dry-run-first',
    on_label: 'sink.destructive',
    type: 'absence',
    rules: '["dryrun.done"]',
    timespan_s: 600,
  } as const
  const LABEL = (name: string) =>
    `INSERT INTO tool_labels (tenant, server, tool, label) VALUES ('acme', 'crm', 'note', '${name}')`

  it.each(failures)('%s has not done a dry run', async (_, fails) => {
    await onlyRules(dryRunFirst)
    await sql(LABEL('dryrun.done'))
    const sub = await newUser()
    fails()
    await ask(sub, 'note')
    await settled(sub)
    expect(await codeOf(sub, 'delete_one')).toBe('denied_by_sequence')
    // Nor where the history is told anew.
    await sql('UPDATE sequence_rules SET timespan_s = 900')
    expect(await codeOf(sub, 'delete_one')).toBe('denied_by_sequence')
  })

  it.each(failures)('%s has cleared nothing', async (_, fails) => {
    await onlyRules({
      id: 'until-reviewed',
      on_label: 'sink.export',
      type: 'temporal',
      rules: '["source.confidential"]',
      until_label: 'control.reviewed',
    })
    await sql(LABEL('control.reviewed'))
    const sub = await newUser()
    await ask(sub, 'read_all')
    await settled(sub)
    fails()
    await ask(sub, 'note')
    await settled(sub)
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('answers well has done both', async () => {
    await onlyRules(dryRunFirst, {
      id: 'until-reviewed',
      on_label: 'sink.export',
      type: 'temporal',
      rules: '["source.confidential"]',
      until_label: 'control.reviewed',
    })
    await sql(LABEL('dryrun.done'), LABEL('control.reviewed'))
    const sub = await newUser()
    await ask(sub, 'read_all')
    await settled(sub)
    sends(json(fine))
    await ask(sub, 'note')
    await settled(sub)
    expect(await codeOf(sub, 'delete_one')).toBe('allowed')
    expect(await codeOf(sub, 'export_all')).toBe('allowed')
  })

  it('is left by its client before it has answered has done neither, though it may have acted', async () => {
    await onlyRules(dryRunFirst, {
      id: 'one',
      on_label: 'sink.update',
      type: 'event_count',
      rules: '["sink.update"]',
      timespan_s: 600,
      condition: '{"gt":1}',
    })
    await sql(LABEL('dryrun.done'))
    const sub = await newUser()
    behaviour.upstream = () =>
      new Response(
        new ReadableStream({
          start: (controller) => {
            controller.enqueue(new TextEncoder().encode(': hello\n\n'))
            setTimeout(() => controller.close(), 200)
          },
        }),
        { headers: { 'content-type': STREAM } },
      )
    const reader = (await rawCall(sub, 'note')).body?.getReader()
    await reader?.read()
    await reader?.cancel()
    expect(await settled(sub)).toBe('committed')
    sends(json(fine))
    expect(await codeOf(sub, 'delete_one')).toBe('denied_by_sequence')
    expect(await codeOf(sub, 'note')).toBe('denied_by_sequence')
  })
})

describe('rows of a result that did not come to its end are without bound: an upstream that', () => {
  const broad = {
    id: 'broad',
    on_label: 'sink.export',
    type: 'value_sum',
    rules: '["source.confidential"]',
    timespan_s: 1_800,
    field: 'result_rows',
    condition: '{"gte":1000000}',
  } as const
  /** An error and a result are answers, whose letters were counted. */
  const answered = new Set([
    'answers 500 with an error',
    'answers 500 with a result',
    'answers 404 with a result',
    'answers with an error',
    'answers with an isError result',
  ])

  it.each(failures.filter(([name]) => !answered.has(name)))('%s', async (_, fails) => {
    await onlyRules(broad)
    const sub = await newUser()
    fails()
    await ask(sub, 'read_all')
    await settled(sub)
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it.each(failures.filter(([name]) => answered.has(name)))(
    '%s has been counted',
    async (_, fails) => {
      await onlyRules(broad)
      const sub = await newUser()
      fails()
      await ask(sub, 'read_all')
      await settled(sub)
      expect(await codeOf(sub, 'export_all')).not.toBe('denied_by_sequence')
    },
  )

  it('sends most of it as progress: what went ahead counts as well', async () => {
    await onlyRules({ ...broad, condition: '{"gte":500}' })
    const sub = await newUser()
    const part = { ...progress, params: { ...progress.params, message: 'row;'.repeat(300) } }
    sends(event(part) + event(fine), STREAM)
    await ask(sub, 'read_all')
    sends(json(fine))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })

  it('sends most of it as a log does not get round it either', async () => {
    await onlyRules({ ...broad, condition: '{"gte":500}' })
    const sub = await newUser()
    const part = {
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'info', data: Array.from({ length: 600 }, (_, n) => ({ n })) },
    }
    sends(event(part) + event(fine), STREAM)
    await ask(sub, 'read_all')
    sends(json(fine))
    expect(await codeOf(sub, 'export_all')).toBe('denied_by_sequence')
  })
})
