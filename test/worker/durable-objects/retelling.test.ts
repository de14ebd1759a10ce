import { env } from 'cloudflare:workers'
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { KEPT_EVENTS, RETRY_MS } from '../../../src/durable-objects/folded-events.ts'
import type { AdmitRequest } from '../../../src/durable-objects/session-protocol.ts'
import { SessionGate } from '../../../src/pep/session-gate.ts'
import type { CompiledTenant } from '../../../src/storage/compiled.ts'
import { admission, outcome, rule, type StepOptions } from '../../support/worker/session-step.ts'

const newSession = () => env.SESSIONS.getByName(crypto.randomUUID())
type Session = ReturnType<typeof newSession>

/** A history as so many calls of `work` leave it, the last of them so long ago; nothing is told of it. */
async function withHistory(calls: number, agoMs: number, label = 'sink.update'): Promise<Session> {
  const session = newSession()
  await session.admit(admission({ labels: [label] }))
  await runInDurableObject(session, (_, { storage }) => {
    storage.sql.exec(
      `INSERT INTO events (sequence, decision, at, actor, labels, state, answer, server, tool, access, arguments, ended)
       WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
       SELECT i, 'made-' || i, ?2 - (?1 - i), '["acme-agent",null]', json_array(?3), 'committed',
         '{"kind":"admitted"}', 'demo', 'work', 'write', '[["resource",null,"r-' || (i % 50) || '",null]]', i FROM n`,
      calls,
      Date.now() - agoMs,
      label,
    )
    storage.sql.exec('UPDATE events SET at = ? WHERE sequence = 1', Date.now() - agoMs - calls)
  })
  await evictDurableObject(session)
  return session
}

const eachTwice = rule({
  id: 'each-twice',
  onLabel: 'sink.export',
  type: 'event_count',
  rules: '["sink.update"]',
  groupBy: '["server"]',
  timespanSeconds: 86_400,
  condition: '{"gte":60}',
})
const exporting: StepOptions = { labels: ['sink.export'], rules: [eachTwice] }

describe('a history that is told anew', () => {
  it('is told once for all calls that wait for it, and each is decided by what it tells', async () => {
    const session = await withHistory(15_000, 0)
    const { rows, ...request } = admission(exporting)
    const first = { ...request, rows }
    const others = Array.from({ length: 5 }, () => ({
      ...request,
      decision: crypto.randomUUID(),
      rows: null,
    }))
    const [told, ...waited] = await Promise.all([first, ...others].map((one) => session.admit(one)))
    expect(told).toMatchObject({ kind: 'refused', refusal: { rule: 'each-twice' } })
    // None of them had to bring the rules again: the first had told all of it before they were heard.
    for (const answer of waited) {
      expect(answer).toMatchObject({ kind: 'refused', refusal: { rule: 'each-twice' } })
    }
  })

  it('a Worker that does not wait for its end refuses for now; the next call is decided by it', async () => {
    const session = await withHistory(2_000, 0)
    let slow = true
    const asked: AdmitRequest[] = []
    const namespace = {
      idFromName: () => session.id,
      get: () => ({
        admit: async (request: AdmitRequest) => {
          asked.push(request)
          const answer = await session.admit(request)
          // As long as the retelling of a history that is far too long would take.
          if (slow && request.rows !== null) await scheduler.wait(2_100)
          return answer
        },
      }),
    } as unknown as typeof env.SESSIONS
    const gate = new SessionGate(namespace, 'any')
    const { rows, ...request } = admission(exporting)
    const compiled = {
      rulesKey: request.rulesKey,
      labelsKey: request.labelsKey,
      sequenceRules: rows?.rules ?? [],
      servers: new Map(),
    } as unknown as CompiledTenant
    expect(await gate.admit(request, compiled)).toEqual({
      ok: false,
      error: { at: 'decide', reason: 'session_unavailable' },
    })
    slow = false
    const next = { ...request, decision: crypto.randomUUID() }
    expect(await gate.admit(next, compiled)).toMatchObject({
      ok: true,
      value: { kind: 'refused', refusal: { rule: 'each-twice' } },
    })
    // It did not have to be told again: the last was decided without the rows.
    expect(asked.at(-1)?.rows).toBeNull()
  }, 15_000)

  it('is bounded: the alarm folds what is more than is kept, and old enough', async () => {
    const more = 900
    const session = await withHistory(KEPT_EVENTS + more, RETRY_MS + 60_000)
    await session.settle(outcome('none', 'failed'))
    await session.admit(admission({ labels: [] }))
    await runDurableObjectAlarm(session)
    const left = await runInDurableObject(session, (_, { storage }) => ({
      events: storage.sql.exec('SELECT count(*) AS n FROM events').one()['n'],
      folded: storage.sql
        .exec<{ tool: string; times: string }>('SELECT tool, times FROM folded')
        .toArray(),
    }))
    expect(left.events).toBe(KEPT_EVENTS)
    const counts = left.folded.map(({ times }) => (JSON.parse(times) as { count: number }).count)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(more + 1)
    const answer = await session.admit(admission(exporting))
    expect(answer).toMatchObject({ kind: 'refused', refusal: { rule: 'each-twice' } })
  }, 30_000)

  it('and nothing is folded that is younger, however much there is', async () => {
    const session = await withHistory(KEPT_EVENTS + 900, 0)
    await session.admit(admission({ labels: [] }))
    await runDurableObjectAlarm(session)
    const events = await runInDurableObject(session, (_, { storage }) =>
      storage.sql.exec('SELECT count(*) AS n FROM events').one(),
    )
    expect(events['n']).toBe(KEPT_EVENTS + 901)
  }, 30_000)
})
