import { env } from 'cloudflare:workers'
import { evictDurableObject } from 'cloudflare:test'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type {
  AdmitRequest,
  ObservedMessage,
  Outcome,
} from '../../../src/durable-objects/session-protocol.ts'
import { newIsolate } from '../../support/worker/isolate.ts'
import { lastOf, outcomeOf } from '../../support/worker/log.ts'
import { answerOf, asText, event, sends } from '../../support/worker/upstream.ts'
import {
  behaviour,
  call,
  inThisWorld,
  newUser,
  post,
  sessionKey,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()

/** Nothing leaves after a read of 500 rows, or of as many as nobody knows; and three deletes at most. */
beforeEach(() =>
  sql(
    'DELETE FROM sequence_rules',
    `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, field, condition, reason) VALUES
      ('acme', 'broad-read', 'deny', 'sink.export', 'value_sum', '["source.confidential"]', 1800, 'result_rows', '{"gte":500}', 'broad_read'),
      ('acme', 'one-delete', 'deny', 'sink.destructive', 'event_count', '["sink.destructive"]', 600, NULL, '{"gt":1}', 'deletes')`,
  ),
)

const exported = async (sub: string) =>
  (await call('export_all', { token: await token({ sub }) })).code
const deleted = async (sub: string) =>
  (await call('delete_one', { token: await token({ sub }) })).code
const readAll = async (sub: string) => post(toolCall('read_all'), { token: await token({ sub }) })

const rows = (count: number) => asText(Array.from({ length: count }, (_, id) => ({ id })))
const answers = (count: number) => sends(JSON.stringify(answerOf(rows(count))))

/** A session of which only some words arrive: the rest of the Worker died, or the way is cut. */
const hearing = (...heard: readonly ('observe' | 'settle')[]): Env['SESSIONS'] =>
  new Proxy(env.SESSIONS, {
    get(target, name) {
      if (name !== 'get') return Reflect.get(target, name).bind(target)
      const lost = () => Promise.reject(new Error('lost'))
      return (id: DurableObjectId) => {
        const stub = target.get(id)
        return {
          admit: (request: AdmitRequest) => stub.admit(request),
          observe: heard.includes('observe')
            ? (message: ObservedMessage) => stub.observe(message)
            : lost,
          settle: heard.includes('settle') ? (outcome: Outcome) => stub.settle(outcome) : lost,
          noteDenial: lost,
        }
      }
    },
  })

describe('what may have acted counts as having acted', () => {
  it('an upstream that did not answer in time', async () => {
    const real = globalThis.setTimeout
    const hurried = vi
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((does: () => void, after?: number) =>
        real(does, after === 30_000 ? 20 : after)) as typeof setTimeout)
    behaviour.upstream = (request) =>
      new Promise((_, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason as Error))
      })
    const sub = await newUser()
    expect(await deleted(sub)).toBe('upstream_timeout')
    hurried.mockRestore()
    const { id } = await lastOf(sub)
    expect(await outcomeOf(sub, id)).toMatchObject({
      outcome: 'committed',
      detail: 'no answer in time',
    })
    answers(0)
    expect(await deleted(sub)).toBe('denied_by_sequence')
  })

  it.each<[string, string, readonly ('observe' | 'settle')[]]>([
    ['read_all', 'result_undecided', []],
    ['delete_one', 'allowed', []],
    ['delete_one', 'allowed', ['observe']],
  ])('the Worker died after `%s` was admitted (%s, heard: %j)', async (tool, code, heard) => {
    answers(1)
    const sub = await newUser()
    const answered = await newIsolate({ SESSIONS: hearing(...heard) })(tool, sub)
    await answered.rest()
    expect(answered.code).toBe(code)
    // The call is pending for ever, and as bad as it may have been.
    await evictDurableObject(env.SESSIONS.getByName(await sessionKey(sub)))
    expect(await lastOf(sub)).toMatchObject({ decision: 'allow', outcome: null })
    const next = tool === 'read_all' ? exported : deleted
    expect(await next(sub)).toBe('denied_by_sequence')
  })

  it('an answer that was observed is known, also where its outcome is lost', async () => {
    answers(10)
    const sub = await newUser()
    const answered = await newIsolate({ SESSIONS: hearing('observe') })('read_all', sub)
    await answered.rest()
    expect(answered.code).toBe('allowed')
    expect(await exported(sub)).toBe('allowed')
  })
})

describe('a client that leaves before the answer', () => {
  const note = {
    jsonrpc: '2.0',
    method: 'notifications/message',
    params: { level: 'info', data: 'row;'.repeat(10) },
  }

  it('is told nothing more, and the call counts as one whose rows nobody knows', async () => {
    behaviour.upstream = () => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode(event(note)))
          setTimeout(() => controller.close(), 200)
        },
      })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
    const sub = await newUser()
    const reader = (await readAll(sub)).body!.getReader()
    const { value } = await reader.read()
    expect(new TextDecoder().decode(value)).toContain('row;')
    await reader.cancel()
    const { id } = await lastOf(sub)
    expect(await outcomeOf(sub, id)).toMatchObject({
      outcome: 'committed',
      detail: 'the client left, and no answer came',
    })
    answers(0)
    expect(await exported(sub)).toBe('denied_by_sequence')
  })

  it('what it had been sent before counts, and what it did not fetch was stored first', async () => {
    sends(event(note) + event(answerOf(rows(600))), 'text/event-stream')
    const sub = await newUser()
    const reader = (await readAll(sub)).body!.getReader()
    await reader.read()
    // The answer is on its way: whether it was observed or not, it counts.
    await reader.cancel()
    answers(0)
    expect(await exported(sub)).toBe('denied_by_sequence')
  })
})

describe('a result that was withheld by a policy', () => {
  const SECRET = 'eve@evil.example'
  const found = (count: number) =>
    sends(
      JSON.stringify(
        answerOf({
          content: [],
          structuredContent: {
            id: 'c-2',
            people: Array.from({ length: count }, () => ({ mail: SECRET })),
          },
        }),
      ),
    )

  beforeEach(() =>
    sql(
      "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
      "INSERT INTO resource_types (tenant, name, form) VALUES ('acme', 'person', 'email')",
      "INSERT INTO resources (tenant, type, id, sensitivity) VALUES ('acme', 'customer', 'c-2', 'restricted')",
      "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'read_all', '/id', 'customer')",
      "INSERT INTO tool_origins (tenant, server, tool, pointer, resource_type, authority) VALUES ('acme', 'crm', 'read_all', '/people/*/mail', 'person', 'listed')",
      'UPDATE policies SET condition = \'targets.all(t, t.sensitivity == "public")\'',
    ),
  )

  const withheld = async (sub: string) => {
    const response = await readAll(sub)
    expect(await response.text()).not.toContain(SECRET)
    const log = await vi.waitFor(async () => {
      const last = await lastOf(sub)
      expect(last.reason).toBe('result_withheld')
      return last
    })
    expect(log.record.inputs.resultOf).toBeDefined()
    answers(0)
  }

  it('counts as many rows as it had, for the upstream has gathered them', async () => {
    const few = await newUser()
    found(10)
    await withheld(few)
    await vi.waitFor(async () => expect(await exported(few)).toBe('allowed'))
    const many = await newUser()
    found(600)
    await withheld(many)
    expect(await exported(many)).toBe('denied_by_sequence')
  })

  it('gives no value an origin', async () => {
    await sql(
      "INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES ('acme', 'crm', 'export_all', '/to', 'target')",
      "UPDATE tool_arguments SET resource_type = 'person', unlisted = 'public' WHERE tool = 'export_all'",
      'DELETE FROM sequence_rules',
      `INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, role, origins, reason) VALUES
        ('acme', 'target-origin', 'approve', 'sink.export', 'provenance', '[]', 'target', '["user","typed"]', 'target_origin')`,
    )
    const sub = await newUser()
    const exportTo = async () =>
      (await call('export_all', { token: await token({ sub }), args: { to: SECRET } })).code
    found(1)
    await withheld(sub)
    expect(await exportTo()).toBe('approval_required')
    // The same result, once it may be shown.
    await sql("UPDATE resources SET sensitivity = 'public' WHERE id = 'c-2'")
    found(1)
    expect(await (await readAll(sub)).text()).toContain(SECRET)
    answers(0)
    expect(await exportTo()).toBe('allowed')
  })
})
