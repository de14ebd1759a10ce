import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import type {
  AdmitRequest,
  ObservedMessage,
  Outcome,
} from '../../../src/durable-objects/session-protocol.ts'
import { newIsolate } from '../../support/worker/isolate.ts'
import { logOf, outcomeOf } from '../../support/worker/log.ts'
import { answerOf, asText, event, sends } from '../../support/worker/upstream.ts'
import { behaviour, inThisWorld, newUser, seen, sql } from '../../support/worker/world.ts'

inThisWorld()

const SECRET = 'what-must-not-pass'

/** Everything may be seen but `c-2`. */
beforeEach(() =>
  sql(
    "INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer')",
    "INSERT INTO resources (tenant, type, id, sensitivity) VALUES ('acme', 'customer', 'c-1', 'public'), ('acme', 'customer', 'c-2', 'restricted')",
    "INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES ('acme', 'crm', 'note', '/id', 'customer')",
    'UPDATE policies SET condition = \'targets.all(t, t.sensitivity == "public")\'',
  ),
)

/** A session that admits calls, and can take no note of a denial. */
const withoutDenials = (noteDenial: () => Promise<never>): Env['SESSIONS'] =>
  new Proxy(env.SESSIONS, {
    get(target, name) {
      if (name !== 'get') return Reflect.get(target, name).bind(target)
      return (id: DurableObjectId) => {
        const stub = target.get(id)
        return {
          admit: (request: AdmitRequest) => stub.admit(request),
          observe: (message: ObservedMessage) => stub.observe(message),
          settle: (outcome: Outcome) => stub.settle(outcome),
          noteDenial,
        }
      }
    },
  })

const answer = (form: string, id: string) => {
  const result = answerOf(asText({ id, text: SECRET }))
  if (form === 'json') sends(JSON.stringify(result))
  else sends(event(result), 'text/event-stream')
}

describe.each(['json', 'stream'])('a result as %s that nobody can decide about', (form) => {
  type Answered = Awaited<ReturnType<ReturnType<typeof newIsolate>>>

  /** What the client, the log and the upstream saw of it. */
  const seenOf = async (sub: string, { code, decision, response, text }: Answered) => {
    const [allowed, ...more] = await logOf(sub)
    const { outcome, detail } = await outcomeOf(sub, allowed?.id ?? '')
    return {
      code,
      status: response.status,
      leaks: text.includes(SECRET),
      // The upstream has acted: nothing invites to make it act twice.
      retry: text.includes('"retryable":true') || response.headers.has('retry-after'),
      named: decision === allowed?.id,
      decisions: 1 + more.length,
      outcome: `${outcome}: ${detail}`,
      sent: seen.length,
    }
  }

  const UNDECIDED = {
    code: 'result_undecided',
    // The head of a stream has left before.
    status: form === 'json' ? 502 : 200,
    leaks: false,
    retry: false,
    named: true,
    decisions: 1,
    outcome: 'withheld: result_undecided',
    sent: 1,
  }

  it('because D1 does not answer', async () => {
    behaviour.upstream = async (request) => {
      // Without this table the facts cannot be read.
      await sql('ALTER TABLE consents RENAME TO consents_away')
      answer(form, 'c-1')
      return behaviour.upstream(request)
    }
    const sub = await newUser()
    const answered = await newIsolate()('note', sub)
    await sql('ALTER TABLE consents_away RENAME TO consents')
    expect(await seenOf(sub, answered)).toEqual(UNDECIDED)
  })

  it('because the server has no row any more', async () => {
    behaviour.upstream = async (request) => {
      await sql(
        'DELETE FROM tool_results',
        'DELETE FROM tool_labels',
        'DELETE FROM tools',
        'DELETE FROM servers',
      )
      answer(form, 'c-1')
      return behaviour.upstream(request)
    }
    const sub = await newUser()
    expect(await seenOf(sub, await newIsolate()('note', sub))).toEqual(UNDECIDED)
  })

  it.each<[string, () => Promise<never>]>([
    ['fails', () => Promise.reject(new Error('object reset'))],
    ['hangs', () => new Promise(() => {})],
  ])(
    'because the session %s that must record its refusal',
    { timeout: 15_000 },
    async (_, denial) => {
      const ask = newIsolate({ SESSIONS: withoutDenials(denial) })
      answer(form, 'c-2')
      const sub = await newUser()
      expect(await seenOf(sub, await ask('note', sub))).toEqual(UNDECIDED)
      // What may be shown needs no such record.
      answer(form, 'c-1')
      expect((await ask('note', sub)).code).toBe('allowed')
    },
  )
})
