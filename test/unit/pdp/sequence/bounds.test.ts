// What a session lets go of may only ever refuse more.
import { describe, expect, it } from 'vitest'
import { NOTHING_KNOWN } from '../../../../src/pdp/provenance/origin.ts'
import { VALUES_KEPT } from '../../../../src/pdp/sequence/distinct.ts'
import {
  Draft,
  GROUPS_KEPT,
  ORIGINS_KEPT,
  TALLIES_KEPT,
} from '../../../../src/pdp/sequence/draft.ts'
import type { PastStep } from '../../../../src/pdp/sequence/step.ts'
import { ruleRow, TrialSession, valueOf } from '../../../support/sequence/steps.ts'

const on = (resource: string) => ({ values: [valueOf('resource', resource)] })
const amountOn = (resource: string, amount: string) => ({
  values: [valueOf('resource', resource), valueOf('amount', amount)],
})
const done = (session: TrialSession, step: PastStep): void => session.end(step)

describe('more groups than keep a state of their own', () => {
  it('permit nothing: what was read long ago must be read again', () => {
    const readFirst = ruleRow({
      onLabel: 'sink.update',
      type: 'absence',
      rules: '["source.read"]',
      groupBy: '["resource"]',
    })
    const session = new TrialSession([readFirst])
    for (let n = 0; n <= GROUPS_KEPT; n += 1)
      done(session, session.grant(['source.read'], n, on(`r${n}`)))
    expect(session.asks(['sink.update'], 9_999, on('r0'))).toEqual(['r'])
    expect(session.asks(['sink.update'], 9_999, on('r1'))).toEqual([])
    expect(session.asks(['sink.update'], 9_999, on('never'))).toEqual(['r'])
    done(session, session.grant(['source.read'], 10_000, on('r0')))
    expect(session.asks(['sink.update'], 10_001, on('r0'))).toEqual([])
  })

  it('free no budget: what made room counts against everybody', () => {
    const twice = ruleRow({
      onLabel: 'sink.update',
      type: 'event_count',
      rules: '["sink.update"]',
      groupBy: '["resource"]',
      timespanSeconds: 1_000_000,
      condition: '{"gt":2}',
    })
    const session = new TrialSession([twice])
    session.grant(['sink.update'], 1, on('hot'))
    session.grant(['sink.update'], 1, on('hot'))
    expect(session.asks(['sink.update'], 2, on('hot'))).toEqual(['r'])
    for (let n = 0; n < GROUPS_KEPT; n += 1) session.grant(['sink.update'], 2 + n, on(`r${n}`))
    expect(session.asks(['sink.update'], 9_999, on('hot'))).toEqual(['r'])
  })

  it('share one sum, and get room again once the eldest is past', () => {
    const spend = ruleRow({
      onLabel: 'sink.money',
      type: 'value_sum',
      rules: '["sink.money"]',
      groupBy: '["resource"]',
      field: 'amount',
      timespanSeconds: 3_600,
      condition: '{"gt":100}',
    })
    const session = new TrialSession([spend])
    for (let n = 0; n < TALLIES_KEPT; n += 1)
      session.grant(['sink.money'], 60, amountOn(`r${n}`, '1'))
    session.grant(['sink.money'], 61, amountOn('late', '90'))
    expect(session.asks(['sink.money'], 62, amountOn('later', '20'))).toEqual(['r'])
    expect(session.asks(['sink.money'], 62, amountOn('later', '5'))).toEqual([])
    const much = 61 + 2 * 3_600
    session.grant(['sink.money'], much, amountOn('fresh', '90'))
    expect(session.asks(['sink.money'], much, amountOn('other', '20'))).toEqual([])
    expect(session.asks(['sink.money'], much, amountOn('fresh', '20'))).toEqual(['r'])
  })
})

describe('more values than are kept', () => {
  it('cannot be told, until what was let go of is past', () => {
    const few = ruleRow({
      onLabel: 'sink.send',
      type: 'value_count',
      rules: '["sink.send"]',
      field: 'target',
      timespanSeconds: 600,
      condition: '{"gt":255}',
    })
    const session = new TrialSession([few])
    for (let n = 0; n <= VALUES_KEPT; n += 1) {
      session.grant(['sink.send'], 1, { values: [valueOf('target', `v${n}`)] })
    }
    expect(session.asks(['sink.send'], 600, { values: [] })).toEqual(['r'])
    expect(session.asks(['sink.send'], 602, { values: [] })).toEqual([])
  })
})

describe('more occurrences than the ring keeps', () => {
  it('may stand anywhere in a chain that they can have been in', () => {
    const chain = ruleRow({
      onLabel: 'sink.send',
      type: 'temporal_ordered',
      rules: '["source.list","source.bulk"]',
    })
    const session = new TrialSession([chain])
    session.grant(['source.bulk'], 1)
    expect(session.asks(['sink.send'], 2)).toEqual([])
    for (let n = 0; n < 200; n += 1) session.grant(['source.list'], 2)
    // All of them were after it: the first one still tells.
    expect(session.asks(['sink.send'], 3)).toEqual([])
    const other = new TrialSession([chain])
    other.grant(['source.list'], 1)
    other.grant(['source.bulk'], 1)
    for (let n = 0; n < 200; n += 1) other.grant(['source.list'], 2)
    expect(other.asks(['sink.send'], 3)).toEqual(['r'])
  })
})

describe('more origins than are kept', () => {
  it('let nobody conclude from a value not being known', () => {
    const session = new TrialSession()
    const learn = (from: number, more: Partial<typeof NOTHING_KNOWN>): void => {
      for (let n = 0; n < ORIGINS_KEPT; n += 1) {
        const draft = new Draft(session.memory)
        draft.setOrigin({ digest: `${from}-${n}`, type: null }, { ...NOTHING_KNOWN, ...more })
        session.memory.apply(draft.list())
      }
    }
    learn(1, { seen: true })
    expect(session.memory.flags()).toMatchObject({ forgotSeen: false, forgotPassed: false })
    learn(2, { laundered: true })
    expect(session.memory.flags()).toMatchObject({ forgotSeen: false, forgotPassed: false })
    learn(3, { seen: true })
    expect(session.memory.flags()).toMatchObject({ forgotSeen: true, forgotPassed: false })
    learn(4, { laundered: true })
    expect(session.memory.flags()).toMatchObject({ forgotSeen: true, forgotPassed: true })
  })
})

describe('sums', () => {
  const cap = ruleRow({
    onLabel: 'sink.money',
    type: 'value_sum',
    rules: '["sink.money"]',
    field: 'amount',
    timespanSeconds: 86_400,
    condition: '{"gt":1000}',
  })
  const pay = (amount: string) => ({ values: [valueOf('amount', amount)] })

  it.each([
    ['a negative amount', '-500', ['r']],
    ['what is no number', 'much', ['r']],
    ['nothing', '0', []],
  ])('are not lowered by %s', (_, amount, expected) => {
    const session = new TrialSession([cap])
    session.grant(['sink.money'], 60, pay('600'))
    session.grant(['sink.money'], 61, pay(amount))
    expect(session.asks(['sink.money'], 62, pay('400'))).toEqual(expected)
  })

  it('count rows without bound until the answer is there, and what overflows for good', () => {
    const broad = ruleRow({
      type: 'value_sum',
      field: 'result_rows',
      timespanSeconds: 1_800,
      condition: '{"gte":500}',
    })
    const session = new TrialSession([broad])
    const read = session.grant(['source.confidential'], 1)
    expect(session.asks(['sink.export'], 2)).toEqual(['r'])
    const answered = session.observe(read, { rows: 400 })
    expect(session.asks(['sink.export'], 2)).toEqual([])
    session.observe(answered, { rows: 100, answer: false })
    expect(session.asks(['sink.export'], 2)).toEqual(['r'])
    const other = new TrialSession([broad])
    other.observe(other.grant(['source.confidential'], 1), { rows: 1, overflow: true })
    expect(other.asks(['sink.export'], 2)).toEqual(['r'])
  })
})
