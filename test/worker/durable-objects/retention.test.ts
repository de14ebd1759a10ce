import { env } from 'cloudflare:workers'
import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { EventLog } from '../../../src/durable-objects/event-log.ts'
import { FoldedPast } from '../../../src/durable-objects/folded-events.ts'
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

/** As the alarm does it in a session that has many more calls, and a quarter of an hour later. */
async function fold(session: Session, kept?: number): Promise<void> {
  // The newest calls always stay.
  if (kept === undefined) await session.admit(admission())
  await runInDurableObject(session, (_, { storage }) => {
    storage.transactionSync(() => {
      const more = new FoldedPast(storage.sql).fold(
        new EventLog(storage.sql),
        Date.now() + 1,
        kept ?? 1,
        0,
      )
      expect(more).toBe(false)
    })
  })
  await evictDurableObject(session)
}

const countsOf = (session: Session) =>
  runInDurableObject(session, (_, { storage }) => {
    const count = (table: string) =>
      storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n
    return { events: count('events'), messages: count('messages'), folded: count('folded') }
  })

const reading: StepOptions = { labels: ['source.confidential'], tool: 'peek', rules: [] }
const writing = (resource: string, rules: readonly SequenceRuleRow[] = []): StepOptions => ({
  labels: ['sink.update'],
  tool: 'update',
  rules,
  flow: { values: [value('resource', resource), value('amount', '5', { amount: 5 })] },
})

/** A rule that needs what was never kept, so that the history is told anew. */
const needsGroups = rule({
  id: 'needs-groups',
  onLabel: 'sink.none',
  type: 'event_count',
  rules: '["sink.update"]',
  groupBy: '["resource"]',
  timespanSeconds: 600,
  condition: '{"gt":60}',
})

describe('old calls are folded into what their kind has in common', () => {
  it('as many rows are left as there are kinds of calls, and no message', async () => {
    const session = newSession()
    for (let n = 0; n < 20; n += 1) {
      const decision = await done(session, n % 2 === 0 ? reading : writing(`r-${n}`))
      await session.observe(message(decision, { rows: 3 }))
      await session.settle(outcome(decision))
    }
    await fold(session, 4)
    // The commit of the last call waits in memory: it stays one of those that are kept.
    expect(await countsOf(session)).toMatchObject({ events: 4, messages: 4, folded: 2 })
  })

  it('only the oldest, and none that somebody may still ask for again', async () => {
    const session = newSession()
    const requests = [admission(reading), admission(reading), admission(reading)]
    for (const request of requests) await session.admit(request)
    await runInDurableObject(session, (_, { storage }) => {
      const folded = new FoldedPast(storage.sql)
      const log = new EventLog(storage.sql)
      expect(storage.transactionSync(() => folded.fold(log, Date.now(), 0))).toBe(false)
    })
    expect(await countsOf(session)).toMatchObject({ events: 3, folded: 0 })
    const [first, second, third] = requests
    await fold(session, 2)
    expect(await countsOf(session)).toMatchObject({ events: 2, folded: 1 })
    for (const [at, request] of [second, third].entries()) {
      expect(await session.admit(request!)).toMatchObject({ kind: 'admitted', sequence: at + 2 })
    }
    // One that is asked for again all the same counts once more: it takes, and gives nothing.
    expect(await session.admit(first!)).toMatchObject({ kind: 'admitted', sequence: 4 })
  })

  it('more kinds than are told apart share the row of their tool, and count for every actor', async () => {
    const session = newSession()
    await runInDurableObject(session, (_, { storage }) => {
      storage.sql.exec(
        `INSERT INTO folded (actor, server, tool, denied, labels, fixed, possible, brought, times)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1024)
         SELECT 'actor-' || i, 'demo', 'work', 0, '[]', '[]', '[]', '[]',
           '{"count":1,"first":{"sequence":0,"at":0},"last":{"sequence":0,"at":0},"committed":null,"ring":[{"sequence":0,"at":0}],"lostAt":null,"lost":null}' FROM n`,
      )
    })
    await done(session, { ...reading, actorKey: '["one",null]' })
    await done(session, { ...writing('a'), tool: 'peek', actorKey: '["two",null]' })
    await fold(session)
    expect(await countsOf(session)).toMatchObject({ events: 1, folded: 1_025 })
    const ofActor = rule({
      id: 'of-actor',
      onLabel: 'sink.export',
      type: 'temporal',
      scope: 'actor',
      rules: '["source.confidential","sink.update"]',
      groupBy: '["tool"]',
    })
    const elsewhere = { labels: ['sink.export'], rules: [ofActor], actorKey: '["three",null]' }
    expect(await kindOf(session, { ...elsewhere, tool: 'peek' })).toBe('denied_by_sequence')
  })
})

describe('told anew, a folded past refuses what the whole would refuse', () => {
  const ON = { id: 'rule', onLabel: 'sink.export' } as const
  const exporting: StepOptions = {
    labels: ['sink.export'],
    tool: 'export',
    flow: { values: [value('resource', 'a'), value('amount', '1', { amount: 1 })] },
  }

  it.each<[string, SequenceRuleRow]>([
    ['temporal', rule({ ...ON, type: 'temporal', rules: '["source.confidential"]' })],
    [
      'temporal by group',
      rule({ ...ON, type: 'temporal', rules: '["sink.update"]', groupBy: '["resource"]' }),
    ],
    [
      'temporal_ordered of three',
      rule({
        ...ON,
        type: 'temporal_ordered',
        rules: '["source.confidential","sink.update","sink.last"]',
      }),
    ],
    [
      'event_count',
      rule({
        ...ON,
        type: 'event_count',
        rules: '["sink.update"]',
        timespanSeconds: 600,
        condition: '{"gte":2}',
      }),
    ],
    [
      'value_count',
      rule({
        ...ON,
        type: 'value_count',
        rules: '["sink.update"]',
        field: 'resource',
        timespanSeconds: 600,
        condition: '{"gte":2}',
      }),
    ],
    [
      'value_sum',
      rule({
        ...ON,
        type: 'value_sum',
        rules: '["sink.update"]',
        field: 'amount',
        timespanSeconds: 600,
        condition: '{"gte":10}',
      }),
    ],
    [
      'value_sum of rows',
      rule({
        ...ON,
        type: 'value_sum',
        rules: '["source.confidential"]',
        field: 'result_rows',
        timespanSeconds: 600,
        condition: '{"gte":10}',
      }),
    ],
    [
      'absence',
      rule({ ...ON, type: 'absence', rules: '["endorse.human"]', untilLabel: 'sink.update' }),
    ],
    [
      'temporal with a clearing before it',
      rule({ ...ON, type: 'temporal', rules: '["sink.last"]', untilLabel: 'endorse.human' }),
    ],
  ])('%s', async (_, one) => {
    const refusals = await Promise.all(
      [false, true].map(async (folded) => {
        const session = newSession()
        const calls = [
          { labels: ['endorse.human'], tool: 'endorse', rules: [] },
          reading,
          writing('a'),
          writing('b'),
          { labels: ['sink.last'], tool: 'last', rules: [] },
        ]
        for (const call of calls) {
          const decision = await done(session, call)
          await session.observe(message(decision, { rows: 10 }))
          await session.settle(outcome(decision))
        }
        if (folded) await fold(session)
        return kindOf(session, { ...exporting, rules: [one, needsGroups] })
      }),
    )
    expect(refusals).toEqual(['denied_by_sequence', 'denied_by_sequence'])
  })

  it('a count is as exact as before, of the whole session', async () => {
    const session = newSession()
    for (let n = 0; n < 3; n += 1) await done(session, writing(`r-${n}`))
    await fold(session)
    const atMost = (count: number) =>
      rule({
        ...ON,
        type: 'event_count',
        rules: '["sink.update"]',
        timespanSeconds: 600,
        condition: `{"gt":${count}}`,
      })
    expect(await kindOf(session, { ...exporting, rules: [atMost(3), needsGroups] })).toBe(
      'admitted',
    )
    expect(await kindOf(session, { ...exporting, rules: [atMost(2), needsGroups] })).toBe(
      'denied_by_sequence',
    )
  })

  it('a tool that is labelled anew was always so, and what a result brought stays', async () => {
    const session = newSession()
    const noExport = (label: string) =>
      rule({ ...ON, type: 'temporal', rules: JSON.stringify([label]) })
    const decision = await done(session, { labels: [], tool: 'peek', rules: [] })
    await session.observe(message(decision, { labels: ['source.brought'] }))
    await fold(session)
    const now = (label: string) => ({ ...exporting, rules: [noExport(label)], labelsKey: 'other' })
    const plain = { tool: ['demo', 'work'] as const, certain: [], possible: [], gone: false }
    const tools = [
      {
        tool: ['demo', 'peek'] as const,
        certain: ['source.new'],
        possible: ['source.maybe'],
        gone: false,
      },
      plain,
    ]
    for (const label of ['source.brought', 'source.new', 'source.maybe']) {
      expect(await kindOf(session, { ...now(label), tools })).toBe('denied_by_sequence')
    }
    const none = [
      { tool: ['demo', 'peek'] as const, certain: [], possible: [], gone: false },
      plain,
    ]
    const later = { labelsKey: 'third', tools: none }
    expect(await kindOf(session, { ...now('source.brought'), ...later })).toBe('denied_by_sequence')
    expect(await kindOf(session, { ...now('source.new'), ...later })).toBe('admitted')
  })

  it('denials count towards a lock-out, and what is no denial does not', async () => {
    const session = newSession()
    const never = rule({ id: 'never', onLabel: 'sink.none', type: 'absence', rules: '["a.b"]' })
    const ask = rule({ ...never, id: 'ask', onLabel: 'sink.ask', effect: 'approve' })
    for (const label of ['sink.none', 'sink.ask', 'sink.none']) {
      await kindOf(session, { labels: [label], rules: [never, ask] })
    }
    await fold(session)
    const lockOut = (count: number) =>
      rule({
        id: 'lock-out',
        onLabel: 'any',
        type: 'event_count',
        rules: '["decision.denied"]',
        scope: 'actor',
        timespanSeconds: 600,
        condition: `{"gte":${count}}`,
      })
    const asked = (count: number) => ({ labels: [], rules: [lockOut(count), needsGroups] })
    expect(await kindOf(session, asked(3))).toBe('admitted')
    expect(await kindOf(session, asked(2))).toBe('denied_by_sequence')
  })
})
