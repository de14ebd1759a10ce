import { env } from 'cloudflare:workers'
import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import type { SequenceRuleRow } from '../../../src/pdp/sequence/rule.ts'
import {
  admission,
  message,
  outcome,
  rule,
  value,
  type StepOptions,
} from '../../support/worker/session-step.ts'

const newSession = () => env.SESSIONS.getByName(crypto.randomUUID())
type Session = ReturnType<typeof newSession>

const kindOf = async (session: Session, options: StepOptions): Promise<string> => {
  const answer = await session.admit(admission(options))
  return answer.kind === 'refused' ? answer.refusal.reason : answer.kind
}

/** Admits it, or fails the test. */
const done = async (session: Session, options: StepOptions): Promise<string> => {
  const request = admission(options)
  expect(await session.admit(request)).toMatchObject({ kind: 'admitted' })
  return request.decision
}

const noExportAfterRead = rule({
  id: 'no-export',
  onLabel: 'sink.export',
  type: 'temporal',
  rules: '["source.confidential"]',
})
const atMostThousand = rule({
  id: 'spend',
  onLabel: 'sink.money',
  type: 'value_sum',
  rules: '["sink.money"]',
  timespanSeconds: 86_400,
  field: 'amount',
  condition: '{"gt":1000}',
})
const broadRead = rule({
  id: 'broad-read',
  onLabel: 'sink.export',
  type: 'value_sum',
  rules: '["source.confidential"]',
  timespanSeconds: 1_800,
  field: 'result_rows',
  condition: '{"gte":500}',
})
const targetOrigin = rule({
  id: 'target-origin',
  effect: 'approve',
  onLabel: 'sink.external_send',
  type: 'provenance',
  role: 'target',
  origins: '["user","typed"]',
})

const pay = (amount: number | null): StepOptions => ({
  labels: ['sink.money'],
  rules: [atMostThousand],
  flow: { values: [value('amount', String(amount), { amount })] },
})
const read: StepOptions = { labels: ['source.confidential'], rules: [broadRead] }
const exporting: StepOptions = { labels: ['sink.export'], rules: [broadRead] }
const send = (to: string, more: StepOptions = {}): StepOptions => ({
  labels: ['sink.external_send'],
  rules: [targetOrigin],
  ...more,
  flow: { values: [value('target', to, { type: 'person' })] },
})

describe('100 parallel calls at the edge of a budget give exactly the budget', () => {
  it('of a sum', async () => {
    const session = newSession()
    const kinds = await Promise.all(Array.from({ length: 100 }, () => kindOf(session, pay(100))))
    expect(kinds.filter((kind) => kind === 'admitted')).toHaveLength(10)
  })

  it('of distinct values, however often each comes', async () => {
    const session = newSession()
    const fanOut = rule({
      id: 'fan-out',
      onLabel: 'sink.external_send',
      type: 'value_count',
      rules: '["sink.external_send"]',
      timespanSeconds: 3_600,
      field: 'target',
      condition: '{"gt":5}',
    })
    const to = Array.from({ length: 100 }, (_, at) => `person-${at % 20}`)
    const answers = await Promise.all(
      to.map(async (one) => [one, await kindOf(session, send(one, { rules: [fanOut] }))] as const),
    )
    const reached = new Set(answers.flatMap(([one, kind]) => (kind === 'admitted' ? [one] : [])))
    expect(reached.size).toBe(5)
    for (const [one, kind] of answers)
      expect([one, kind === 'admitted']).toEqual([one, reached.has(one)])
  })
})

describe('read and export sent at the same instant', () => {
  const runs = env.PROPERTY_RUNS === 'full' ? 1_000 : 200
  it(`no run of ${runs} has an export admitted after the read`, { timeout: 120_000 }, async () => {
    for (let run = 0; run < runs; run += 1) {
      const session = newSession()
      const reading = admission({ labels: ['source.confidential'], rules: [noExportAfterRead] })
      const leaving = admission({ labels: ['sink.export'], rules: [noExportAfterRead] })
      const order = run % 2 === 0 ? [reading, leaving] : [leaving, reading]
      const answers = await Promise.all(order.map((request) => session.admit(request)))
      const first = answers[run % 2]
      const second = answers[1 - (run % 2)]
      if (first?.kind !== 'admitted') throw new Error('the read was refused')
      const isTooLate = second?.kind === 'admitted' && second.sequence > first.sequence
      expect(isTooLate).toBe(false)
    }
  })
})

describe('what nobody knows yet counts as its worst', () => {
  it('rows are without bound until the result was observed, and then as many as there were', async () => {
    const session = newSession()
    const decision = await done(session, read)
    expect(await kindOf(session, exporting)).toBe('denied_by_sequence')
    expect(await session.observe(message(decision, { rows: 499 }))).toEqual({ stored: true })
    expect(await kindOf(session, exporting)).toBe('admitted')
    const more = await done(session, read)
    await session.observe(message(more, { rows: 1 }))
    expect(await kindOf(session, exporting)).toBe('denied_by_sequence')
  })

  it.each(['committed', 'withheld'] as const)(
    'a call that ended as %s without an answer stays without bound, also after eviction',
    async (state) => {
      const session = newSession()
      const decision = await done(session, read)
      await session.settle(outcome(decision, state))
      await evictDurableObject(session)
      expect(await kindOf(session, exporting)).toBe('denied_by_sequence')
    },
  )

  it('a call that never left had no rows, and an observation of it is not stored', async () => {
    const session = newSession()
    const decision = await done(session, read)
    await session.settle(outcome(decision, 'failed'))
    expect(await kindOf(session, exporting)).toBe('admitted')
    expect(await session.observe(message(decision, { rows: 0 }))).toEqual({ stored: false })
  })

  it('a result over the bound has rows without bound', async () => {
    const session = newSession()
    const decision = await done(session, read)
    await session.observe(message(decision, { rows: 1, overflow: true }))
    expect(await kindOf(session, exporting)).toBe('denied_by_sequence')
  })

  it('an amount that is no number is without bound, and a failed payment frees its own only', async () => {
    const session = newSession()
    const first = await done(session, pay(900))
    expect(await kindOf(session, pay(200))).toBe('denied_by_sequence')
    expect(await kindOf(session, pay(null))).toBe('denied_by_sequence')
    await session.settle(outcome(first, 'failed'))
    expect(await kindOf(session, pay(1_000))).toBe('admitted')
    expect(await kindOf(session, pay(1))).toBe('denied_by_sequence')
  })

  it('an observation that is told twice counts once', async () => {
    const session = newSession()
    const decision = await done(session, read)
    const told = message(decision, { rows: 300 })
    await session.observe(told)
    await session.observe(told)
    expect(await kindOf(session, exporting)).toBe('admitted')
  })
})

describe('where a value comes from', () => {
  const listing = (decision: string, text: string) =>
    message(decision, { listed: [{ type: 'person', authority: 'listed', text }], fields: [text] })

  it('a value that nobody gave asks for a person, and leaves no denial', async () => {
    const session = newSession()
    const lockOut = rule({
      id: 'lock-out',
      onLabel: 'any',
      type: 'event_count',
      rules: '["decision.denied"]',
      scope: 'actor',
      timespanSeconds: 300,
      condition: '{"gte":1}',
    })
    const rules = [targetOrigin, lockOut]
    const answer = await session.admit(admission(send('mallory@evil.example', { rules })))
    expect(answer).toMatchObject({
      kind: 'refused',
      refusal: { reason: 'approval_required', policies: [], rules: ['target-origin'] },
    })
    expect(await kindOf(session, { labels: [], rules })).toBe('admitted')
  })

  it('one that a result listed as such a thing passes, on any server, also after eviction', async () => {
    const session = newSession()
    const listed = await done(session, { labels: ['source.directory'], rules: [targetOrigin] })
    await session.observe(listing(listed, 'bob@corp.example'))
    await evictDurableObject(session)
    const elsewhere = send('bob@corp.example', { server: 'mail' })
    expect(await kindOf(session, elsewhere)).toBe('admitted')
    expect(await kindOf(session, send('eve@corp.example'))).toBe('approval_required')
  })

  it('one that was passed without an origin never gains one by being read back', async () => {
    const session = newSession()
    const writing: StepOptions = {
      labels: ['sink.update'],
      rules: [targetOrigin],
      flow: { values: [value('content', 'mallory@evil.example', { shape: 'address' })] },
    }
    await done(session, writing)
    const listed = await done(session, { labels: ['source.directory'], rules: [targetOrigin] })
    await session.observe(listing(listed, 'mallory@evil.example'))
    expect(await kindOf(session, send('mallory@evil.example'))).toBe('approval_required')
  })

  it('arguments that hold more than is read have none', async () => {
    const session = newSession()
    const kind = await kindOf(session, {
      labels: ['sink.external_send'],
      rules: [targetOrigin],
      flow: { values: null },
    })
    expect(kind).toBe('approval_required')
  })

  it('nothing of a value is stored but a digest that another session does not share', async () => {
    const digests: string[] = []
    for (const session of [newSession(), newSession()]) {
      await done(session, {
        labels: ['sink.update'],
        rules: [targetOrigin],
        flow: { values: [value('target', 'bob@corp.example')] },
      })
      const stored = await runInDurableObject(session, (_, { storage }) => ({
        events: storage.sql.exec<{ arguments: string }>('SELECT arguments FROM events').toArray(),
        origins: storage.sql.exec("SELECT * FROM memory WHERE kind = 'origin'").toArray(),
      }))
      expect(JSON.stringify(stored)).not.toContain('bob')
      expect(stored.origins.length).toBeGreaterThan(0)
      const [[, , digest]] = JSON.parse(stored.events[0]?.arguments ?? '[]') as [string[]]
      expect(digest).toMatch(/^[\w-]{32}$/)
      digests.push(digest ?? '')
    }
    expect(new Set(digests).size).toBe(2)
  })
})

describe('a change of rows in the middle of a session', () => {
  it('a rule that needs groups finds what happened before it', async () => {
    const session = newSession()
    const update = (id: string, rules: readonly SequenceRuleRow[]): StepOptions => ({
      labels: ['sink.update'],
      rules,
      flow: { values: [value('resource', id)] },
    })
    await done(session, update('ticket-1', []))
    await done(session, update('ticket-1', []))
    const twiceEach = rule({
      id: 'twice-each',
      onLabel: 'sink.update',
      type: 'event_count',
      rules: '["sink.update"]',
      groupBy: '["resource"]',
      timespanSeconds: 600,
      condition: '{"gt":2}',
    })
    expect(await kindOf(session, update('ticket-1', [twiceEach]))).toBe('denied_by_sequence')
    expect(await kindOf(session, update('ticket-2', [twiceEach]))).toBe('admitted')
  })

  it('a rule that sums finds what was spent before it', async () => {
    const session = newSession()
    await done(session, { ...pay(900), rules: [] })
    expect(await kindOf(session, pay(200))).toBe('denied_by_sequence')
    expect(await kindOf(session, pay(100))).toBe('admitted')
  })

  it('a repeated denial counts as often as it happened, also when it is told anew', async () => {
    const session = newSession()
    const {
      flow: _,
      observed: __,
      rulesKey: ___,
      labelsKey: ____,
      rows: _____,
      ...note
    } = admission()
    const refusal = { at: 'decide', reason: 'not_allowed', pass: 'subject' } as const
    for (let n = 0; n < 4; n += 1) {
      await session.noteDenial({ ...note, decision: crypto.randomUUID(), refusal })
    }
    const lockOut = rule({
      id: 'lock-out',
      onLabel: 'any',
      type: 'event_count',
      rules: '["decision.denied"]',
      scope: 'actor',
      timespanSeconds: 300,
      groupBy: '["server"]',
      condition: '{"gte":4}',
    })
    expect(await kindOf(session, { rules: [lockOut] })).toBe('denied_by_sequence')
    expect(await kindOf(session, { rules: [lockOut], server: 'another' })).toBe('admitted')
  })

  it('a tool that is labelled later has been that all along', async () => {
    const session = newSession()
    await done(session, { labels: [], tool: 'peek', rules: [noExportAfterRead] })
    const now = { labels: ['sink.export'], rules: [noExportAfterRead], labelsKey: 'relabelled' }
    // It asks for the labels of the tools that it has seen.
    expect(await session.admit(admission(now))).toEqual({
      kind: 'rules_needed',
      tools: [['demo', 'peek']],
    })
    const tools = [
      {
        tool: ['demo', 'peek'] as const,
        certain: ['source.confidential'],
        possible: [],
        gone: false,
      },
    ]
    expect(await kindOf(session, { ...now, tools })).toBe('denied_by_sequence')
  })

  it('and one that lost the label has never been it', async () => {
    const session = newSession()
    await done(session, {
      labels: ['source.confidential'],
      tool: 'peek',
      rules: [noExportAfterRead],
    })
    const tools = [{ tool: ['demo', 'peek'] as const, certain: [], possible: [], gone: false }]
    const now = { labels: ['sink.export'], rules: [noExportAfterRead], labelsKey: 'other', tools }
    expect(await kindOf(session, now)).toBe('admitted')
  })

  it('a label that it may have carried counts, and clears nothing', async () => {
    const session = newSession()
    const untilReview = rule({ ...noExportAfterRead, untilLabel: 'endorse.human' })
    const rules = [untilReview]
    const first = await done(session, { labels: ['source.confidential'], tool: 'peek', rules })
    await session.settle(outcome(first))
    const second = await done(session, { labels: [], tool: 'review', rules })
    await session.settle(outcome(second))
    const tools = [
      {
        tool: ['demo', 'peek'] as const,
        certain: [],
        possible: ['source.confidential'],
        gone: false,
      },
      { tool: ['demo', 'review'] as const, certain: [], possible: ['endorse.human'], gone: false },
    ]
    const now = { labels: ['sink.export'], rules, labelsKey: 'other', tools }
    expect(await kindOf(session, now)).toBe('denied_by_sequence')
  })

  it('an edit that changes neither rules nor labels asks for nothing', async () => {
    const session = newSession()
    await done(session, { labels: [], rules: [noExportAfterRead], revision: 'same' })
    expect(await kindOf(session, { labels: [], rules: null, revision: 'same' })).toBe('admitted')
    await evictDurableObject(session)
    expect(await kindOf(session, { labels: [], rules: null, revision: 'same' })).toBe('admitted')
  })
})
