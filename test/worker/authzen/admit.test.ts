import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { app } from '../../../src/app.ts'
import type { AdmitRequest, Outcome } from '../../../src/durable-objects/session-protocol.ts'
import {
  call,
  inThisWorld,
  newUser,
  ORIGIN,
  seen,
  sessionKey,
  sql,
  token,
} from '../../support/worker/world.ts'
import { admitted, ask, callerToken, mayCall, register } from './ask.ts'

inThisWorld()
beforeEach(() => register({ mayAdmit: true }))

const eventsOf = async (sub: string): Promise<unknown[]> =>
  runInDurableObject(env.SESSIONS.getByName(await sessionKey(sub)), (_, { storage }) =>
    storage.sql.exec('SELECT state FROM events ORDER BY sequence').toArray(),
  )

describe('an admission', () => {
  it('is for callers that may', async () => {
    await sql('UPDATE pdp_callers SET may_admit = 0')
    const sub = await newUser()
    expect(await ask(admitted('note', sub, 'k'))).toMatchObject({
      status: 403,
      error: 'not_permitted',
    })
    expect(await ask(mayCall('note', sub))).toMatchObject({ decision: true })
    expect(await eventsOf(sub)).toEqual([])
  })

  it('stands in the history, and the front door sees it', async () => {
    const sub = await newUser()
    expect(await ask(admitted('read_all', sub, 'k'))).toMatchObject({ decision: true })
    expect(await call('export_all', { token: await token({ sub }) })).toMatchObject({
      code: 'denied_by_sequence',
    })
    expect(seen).toHaveLength(0)
    const after = await ask(admitted('export_all', sub, 'l'))
    expect(after).toMatchObject({ decision: false, context: { reason: 'denied_by_sequence' } })
  })

  it('and the reverse: what went through the front door counts here', async () => {
    const sub = await newUser()
    expect((await call('read_all', { token: await token({ sub }) })).code).toBe('allowed')
    expect(await ask(admitted('export_all', sub, 'k'))).toMatchObject({
      decision: false,
      context: { reason: 'denied_by_sequence' },
    })
  })

  it('asked again is the same step; changed, or by another name, another', async () => {
    const sub = await newUser()
    const first = await ask(admitted('note', sub, 'k'))
    expect(first.context.id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    const again = await Promise.all(
      Array.from({ length: 10 }, () =>
        ask(admitted('note', sub, 'k', { time: crypto.randomUUID() })),
      ),
    )
    for (const reply of again)
      expect(reply).toMatchObject({ decision: true, context: { id: first.context.id } })
    expect(await eventsOf(sub)).toHaveLength(1)
    const others = await Promise.all([
      ask(admitted('note', sub, 'l')),
      ask(admitted('read_all', sub, 'k')),
      ask(admitted('note', sub, 'k', { arguments: { n: 1 } })),
    ])
    const ids = new Set([first, ...others].map(({ context }) => context.id))
    expect(ids.size).toBe(4)
    expect(await eventsOf(sub)).toHaveLength(4)
  })

  it('100 parallel ones at a budget of 10 are exactly 10', async () => {
    const sub = await newUser()
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, at) => ask(admitted('delete_one', sub, `k${at}`))),
    )
    expect(replies.filter(({ decision }) => decision)).toHaveLength(10)
    const refused = replies.filter(({ decision }) => decision !== true)
    expect(new Set(refused.map(({ context }) => context.reason))).toEqual(
      new Set(['denied_by_sequence']),
    )
  })

  it('of what door two refuses is a denial in the history, once', async () => {
    const sub = await newUser()
    await sql("UPDATE policies SET tool = 'read_all'")
    const first = await ask(admitted('note', sub, 'k'))
    expect(first).toMatchObject({ decision: false, context: { reason: 'not_allowed' } })
    const again = await ask(admitted('note', sub, 'k'))
    expect(again.context.id).toBe(first.context.id)
    expect(await eventsOf(sub)).toEqual([{ state: 'denied' }])
  })

  it('that is refused on being asked again stays counted', async () => {
    const sub = await newUser()
    expect(await ask(admitted('delete_one', sub, 'k'))).toMatchObject({ decision: true })
    await sql('UPDATE policies SET enabled = 0')
    expect(await ask(admitted('delete_one', sub, 'k'))).toMatchObject({
      decision: false,
      context: { reason: 'not_allowed' },
    })
    await sql('UPDATE policies SET enabled = 1')
    const replies = await Promise.all(
      Array.from({ length: 12 }, (_, at) => ask(admitted('delete_one', sub, `k${at}`))),
    )
    expect(replies.filter(({ decision }) => decision)).toHaveLength(9)
  })

  describe('whose facts grew old while the session was slow', () => {
    /** Sessions that keep their answers to themselves for a while: so many of them, then at once. */
    function slowSessions(slow: number): Env {
      let left = slow
      const SESSIONS = new Proxy(env.SESSIONS, {
        get: (target, name) =>
          name !== 'get'
            ? Reflect.get(target, name).bind(target)
            : (id: DurableObjectId) => ({
                admit: async (request: AdmitRequest) => {
                  const answer = await target.get(id).admit(request)
                  left -= 1
                  if (left >= 0) await new Promise((resolve) => setTimeout(resolve, 600))
                  return answer
                },
                settle: (outcome: Outcome) => target.get(id).settle(outcome),
              }),
      })
      return { ...env, SESSIONS } as Env
    }
    const through = async (isolate: Env, body: unknown): Promise<Response> => {
      const context = createExecutionContext()
      const headers = {
        'content-type': 'application/json',
        authorization: `Bearer ${await callerToken()}`,
      }
      const init = { method: 'POST', headers, body: JSON.stringify(body) }
      const response = await app.fetch(
        new Request(`${ORIGIN}/access/v1/evaluation`, init),
        isolate,
        context,
      )
      await waitOnExecutionContext(context)
      return response
    }

    it('is confirmed by newer ones, and is one step', async () => {
      const sub = await newUser()
      const response = await through(slowSessions(1), admitted('delete_one', sub, 'k'))
      expect(await response.json()).toMatchObject({ decision: true })
      expect(await eventsOf(sub)).toHaveLength(1)
    })

    it('stays counted when nothing confirms it, for whoever asks again', async () => {
      const sub = await newUser()
      const response = await through(slowSessions(99), admitted('delete_one', sub, 'k'))
      expect(response.status).toBe(503)
      expect(await eventsOf(sub)).toEqual([{ state: 'withheld' }])
      expect(await ask(admitted('delete_one', sub, 'k'))).toMatchObject({ decision: true })
      const replies = await Promise.all(
        Array.from({ length: 12 }, (_, at) => ask(admitted('delete_one', sub, `k${at}`))),
      )
      expect(replies.filter(({ decision }) => decision)).toHaveLength(9)
    })
  })

  it('is 503 where the session does not answer', async () => {
    const SESSIONS = new Proxy(env.SESSIONS, {
      get: (target, name) =>
        name === 'get'
          ? () => ({ admit: () => Promise.reject(new Error('down')) })
          : Reflect.get(target, name).bind(target),
    })
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${await callerToken()}`,
    }
    const body = JSON.stringify(admitted('note', await newUser(), 'k'))
    const response = await app.fetch(
      new Request(`${ORIGIN}/access/v1/evaluation`, { method: 'POST', headers, body }),
      { ...env, SESSIONS } as Env,
      createExecutionContext(),
    )
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('2')
  })

  it('is recorded with who asserted it, and as done', async () => {
    const sub = await newUser()
    const { context } = await ask(admitted('note', sub, 'k', { arguments: { text: 'hello' } }))
    await vi.waitFor(async () => {
      const row = await env.DECISIONS.prepare(
        'SELECT d.record, o.state, o.detail FROM decisions AS d JOIN outcomes AS o ON o.decision = d.id WHERE d.id = ?',
      )
        .bind(context.id)
        .first<{ record: string; state: string; detail: string }>()
      expect(row).toMatchObject({ state: 'committed', detail: 'asserted' })
      expect(JSON.parse(row?.record ?? 'null')).toMatchObject({
        decision: 'allow',
        inputs: { assertedBy: 'pep', request: { subject: { id: sub }, resource: { id: 'note' } } },
      })
    }, 8_000)
  }, 10_000)
})
