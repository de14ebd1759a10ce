import { describe, expect, it } from 'vitest'
import { compileRules } from '../../../../src/pdp/sequence/advance.ts'
import type { SequenceRuleRow } from '../../../../src/pdp/sequence/rule.ts'
import type { PastStep } from '../../../../src/pdp/sequence/step.ts'
import { ruleRow, TrialSession, valueOf } from '../../../support/sequence/steps.ts'

const rule = (row: Partial<SequenceRuleRow>): SequenceRuleRow =>
  ruleRow({ timespanSeconds: 1800, ...row })

/** A session that had these rules from the beginning, with the steps named as its subject sees them. */
class Memory {
  readonly #trial: TrialSession

  constructor(...rows: readonly SequenceRuleRow[]) {
    this.#trial = new TrialSession(rows)
  }

  grant(labels: readonly string[], atSeconds: number, actorKey = 'a'): PastStep {
    return this.#trial.grant(labels, atSeconds, { actorKey })
  }

  deny(atSeconds: number, actorKey = 'a'): void {
    this.#trial.deny(atSeconds, { actorKey })
  }

  fail(step: PastStep): void {
    this.#trial.fail(step)
  }

  commit(step: PastStep): void {
    this.#trial.end(step)
  }

  asks(rows: SequenceRuleRow[], labels: string[], atSeconds: number, actorKey: string): string[] {
    this.#trial.rules = compileRules('1', rows)
    return this.#trial.asks(labels, atSeconds, { actorKey })
  }
}

const asks = (rows: SequenceRuleRow[], memory: Memory, labels: string[], at: number, actor = 'a') =>
  memory.asks(rows, labels, at, actor)

describe('labels that an answer brings', () => {
  const cleared = rule({ rules: '["source.secret"]', untilLabel: 'endorse.human' })
  const first = rule({ id: 'first', type: 'absence', rules: '["source.secret"]' })
  const bring = (trial: TrialSession, label: string, at: number) =>
    trial.observe(trial.grant([], at), { labels: [label] })

  it('are cleared by what comes after its end', () => {
    const trial = new TrialSession([cleared])
    const read = bring(trial, 'source.secret', 1)
    trial.end(trial.grant(['endorse.human'], 2))
    trial.end(read, true, ['source.secret'])
    expect(trial.asks(['sink.export'], 3)).toEqual(['r'])
    trial.end(trial.grant(['endorse.human'], 4))
    expect(trial.asks(['sink.export'], 5)).toEqual([])
  })

  it('permit nothing, whatever the upstream says of itself', () => {
    const trial = new TrialSession([first])
    const read = bring(trial, 'source.secret', 1)
    expect(trial.asks(['sink.export'], 2)).toEqual(['first'])
    trial.end(read, true, ['source.secret'])
    expect(trial.asks(['sink.export'], 3)).toEqual(['first'])
  })

  it('clear nothing, whatever the upstream says of itself', () => {
    const trial = new TrialSession([cleared])
    trial.end(trial.grant(['source.secret'], 1))
    trial.end(bring(trial, 'endorse.human', 2), true, ['endorse.human'])
    expect(trial.asks(['sink.export'], 3)).toEqual(['r'])
  })
})

describe('temporal', () => {
  const both = rule({ rules: '["source.confidential","source.bulk"]' })

  it('holds once every label was seen, in any order', () => {
    const memory = new Memory()
    expect(asks([both], memory, ['sink.export'], 1)).toEqual([])
    memory.grant(['source.bulk'], 2)
    expect(asks([both], memory, ['sink.export'], 3)).toEqual([])
    memory.grant(['source.confidential'], 4)
    expect(asks([both], memory, ['sink.export'], 5)).toEqual(['r'])
    expect(asks([both], memory, ['sink.update'], 5)).toEqual([])
  })

  it('counts what the call itself carries', () => {
    const labels = ['sink.export', 'source.confidential', 'source.bulk']
    expect(asks([both], new Memory(), labels, 1)).toEqual(['r'])
  })

  it('forgets what is older than the timespan, to the second', () => {
    const memory = new Memory()
    memory.grant(['source.confidential'], 100)
    expect(asks([rule({})], memory, ['sink.export'], 100 + 1800)).toEqual(['r'])
    expect(asks([rule({})], memory, ['sink.export'], 100 + 1801)).toEqual([])
    expect(asks([rule({ timespanSeconds: null })], memory, ['sink.export'], 1e9)).toEqual(['r'])
  })

  it('is cleared by a later `until` only', () => {
    const cleared = rule({ untilLabel: 'endorse.human' })
    const memory = new Memory(cleared)
    memory.commit(memory.grant(['endorse.human'], 1))
    memory.commit(memory.grant(['source.confidential'], 2))
    expect(asks([cleared], memory, ['sink.export'], 3)).toEqual(['r'])
    const endorsed = memory.grant(['endorse.human'], 4)
    // Admitted is not done: what clears has to have happened.
    expect(asks([cleared], memory, ['sink.export'], 5)).toEqual(['r'])
    memory.commit(endorsed)
    expect(asks([cleared], memory, ['sink.export'], 5)).toEqual([])
    memory.grant(['source.confidential'], 6)
    expect(asks([cleared], memory, ['sink.export'], 7)).toEqual(['r'])
  })

  it('is not cleared by what was admitted before the read had ended', () => {
    const cleared = rule({ untilLabel: 'endorse.human' })
    const memory = new Memory(cleared)
    const read = memory.grant(['source.confidential'], 1)
    memory.commit(memory.grant(['endorse.human'], 2))
    expect(asks([cleared], memory, ['sink.export'], 3)).toEqual(['r'])
    memory.commit(read)
    expect(asks([cleared], memory, ['sink.export'], 4)).toEqual(['r'])
    memory.commit(memory.grant(['endorse.human'], 5))
    expect(asks([cleared], memory, ['sink.export'], 6)).toEqual([])
  })

  it('is not cleared of a read that was still running when eighty others had followed it', () => {
    const cleared = rule({ untilLabel: 'endorse.human', timespanSeconds: 1000 })
    const memory = new Memory(cleared)
    memory.grant(['source.confidential'], 1)
    for (let n = 0; n < 90; n += 1) memory.commit(memory.grant(['source.confidential'], 2))
    memory.commit(memory.grant(['endorse.human'], 3))
    expect(asks([cleared], memory, ['sink.export'], 4)).toEqual(['r'])
    // Until even the lost one is older than the rule looks.
    memory.commit(memory.grant(['endorse.human'], 1100))
    expect(asks([cleared], memory, ['sink.export'], 1101)).toEqual([])
  })

  it('sees what happened before the rule existed', () => {
    const memory = new Memory()
    memory.grant(['source.confidential'], 1)
    expect(asks([], memory, ['sink.export'], 2)).toEqual([])
    expect(asks([rule({})], memory, ['sink.export'], 2)).toEqual(['r'])
  })
})

describe('event_count', () => {
  const tenDeletes = rule({
    onLabel: 'sink.destructive',
    type: 'event_count',
    rules: '["sink.destructive"]',
    timespanSeconds: 600,
    condition: '{"gt":10}',
  })

  it('counts the current call: the eleventh is one too many', () => {
    const memory = new Memory()
    for (let n = 0; n < 10; n += 1) {
      expect(asks([tenDeletes], memory, ['sink.destructive'], n)).toEqual([])
      memory.grant(['sink.destructive'], n)
    }
    expect(asks([tenDeletes], memory, ['sink.destructive'], 10)).toEqual(['r'])
    // The first one leaves the window, after the last second of it.
    expect(asks([tenDeletes], memory, ['sink.destructive'], 600)).toEqual(['r'])
    expect(asks([tenDeletes], memory, ['sink.destructive'], 601)).toEqual([])
  })

  it('frees what never left, but never a source label', () => {
    const memory = new Memory()
    const step = memory.grant(['sink.destructive', 'source.confidential'], 1)
    memory.fail(step)
    const one = { ...tenDeletes, condition: '{"gte":2}' }
    expect(asks([one], memory, ['sink.destructive'], 2)).toEqual([])
    expect(asks([rule({})], memory, ['sink.export'], 2)).toEqual(['r'])
  })

  it('locks out the actor who was denied, and nobody else', () => {
    const lockOut = rule({
      onLabel: 'any',
      type: 'event_count',
      rules: '["decision.denied"]',
      scope: 'actor',
      condition: '{"gte":3}',
      timespanSeconds: 300,
    })
    const memory = new Memory()
    for (let n = 0; n < 3; n += 1) memory.deny(n, 'mallory')
    expect(asks([lockOut], memory, [], 5, 'mallory')).toEqual(['r'])
    expect(asks([lockOut], memory, [], 5, 'alice')).toEqual([])
  })

  it('still counts right after more occurrences than it keeps', () => {
    const memory = new Memory()
    for (let n = 0; n < 500; n += 1) memory.grant(['sink.destructive'], n)
    expect(asks([tenDeletes], memory, ['sink.destructive'], 500)).toEqual(['r'])
    expect(asks([tenDeletes], memory, ['sink.destructive'], 499 + 601)).toEqual([])
  })
})

describe('what permits', () => {
  const order7 = { values: [valueOf('resource', '7', { type: 'order' })] }
  const customer7 = { values: [valueOf('resource', '7', { type: 'customer' })] }
  const grouped = (row: Partial<SequenceRuleRow>) =>
    new TrialSession([rule({ ...row, groupBy: '["resource"]' })])

  it('is no review of order 7 if it was one of customer 7', () => {
    const session = grouped({
      type: 'event_count',
      rules: '["review.done"]',
      condition: '{"lt":1}',
    })
    session.end(session.grant(['review.done'], 1, customer7))
    expect(session.asks(['sink.export'], 2, order7)).toEqual(['r'])
    session.end(session.grant(['review.done'], 3, order7))
    expect(session.asks(['sink.export'], 4, order7)).toEqual([])
  })

  it('clears no reading of order 7 if it was about customer 7', () => {
    const session = grouped({ untilLabel: 'endorse.human' })
    session.end(session.grant(['source.confidential'], 1, order7))
    session.end(session.grant(['endorse.human'], 2, customer7))
    expect(session.asks(['sink.export'], 3, order7)).toEqual(['r'])
    session.end(session.grant(['endorse.human'], 4, order7))
    expect(session.asks(['sink.export'], 5, order7)).toEqual([])
  })

  it('has no say where something restricts: a reading of customer 7 counts for order 7', () => {
    const session = grouped({})
    session.end(session.grant(['source.confidential'], 1, customer7))
    expect(session.asks(['sink.export'], 2, order7)).toEqual(['r'])
  })
})

describe('rows that cannot be read', () => {
  it.each([
    ['no such comparison', { condition: '{"above":1}' }],
    ['no number', { condition: '{"gt":"10"}' }],
    ['a bound that the memory cannot reach', { condition: '{"gt":64}' }],
    ['not JSON', { condition: 'ten' }],
    ['not a label', { rules: '["Sink Destructive"]' }],
    ['no timespan', { timespanSeconds: null }],
  ] as const)('%s: refuses every call on its label, and says why', (_, row) => {
    const broken = rule({
      onLabel: 'sink.destructive',
      type: 'event_count',
      rules: '["sink.destructive"]',
      condition: '{"gt":10}',
      ...row,
    })
    expect(asks([broken], new Memory(), ['sink.destructive'], 1)).toEqual(['r'])
    expect(asks([broken], new Memory(), ['sink.export'], 1)).toEqual([])
    expect(compileRules('1', [broken]).problems()).toHaveLength(1)
  })

  it('puts denials before audits, and then the order of ids, whatever the order of rows', () => {
    const rows = [rule({ id: 'z' }), rule({ id: 'a', effect: 'audit' }), rule({ id: 'b' })]
    const memory = new Memory()
    memory.grant(['source.confidential'], 1)
    expect(asks(rows, memory, ['sink.export'], 2)).toEqual(['b', 'z', 'a'])
    expect(asks(rows.toReversed(), memory, ['sink.export'], 2)).toEqual(['b', 'z', 'a'])
  })
})
