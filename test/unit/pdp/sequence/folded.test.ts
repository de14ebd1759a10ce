import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../../support/property-runs.ts'
import { acts, call, rules } from '../../../support/sequence/generate.ts'
import { Twins } from '../../../support/sequence/twins.ts'

const missing = ({ engine, naive }: ReturnType<Twins['ask']>): string[] =>
  naive.filter((id) => !engine.includes(id))

describe('a history whose oldest calls were folded, told anew under other rules', () => {
  it('refuses whatever the whole history refuses', () => {
    let refused = 0
    fc.assert(
      fc.property(
        fc.record({
          before: rules,
          after: rules,
          first: acts(24),
          later: acts(8),
          fold: fc.nat(24),
          coarse: fc.boolean(),
          calls: fc.array(call, { minLength: 1, maxLength: 3 }),
        }),
        ({ before, after, first, later, fold, coarse, calls }) => {
          const twins = new Twins(before)
          for (const act of first) act(twins)
          twins.edit(after, fold, coarse)
          for (const one of calls) {
            const answers = twins.ask(one)
            refused += answers.naive.length
            expect(missing(answers)).toEqual([])
          }
          for (const act of later) act(twins)
          for (const one of calls) expect(missing(twins.ask(one))).toEqual([])
        },
      ),
      propertyRuns(40_000),
    )
    expect(refused).toBeGreaterThan(100)
  }, 300_000)

  it('also where more happened than is remembered', () => {
    fc.assert(
      fc.property(
        fc.record({ rows: rules, all: acts(30), one: call }),
        fc.integer({ min: 2, max: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        ({ rows, all, one }, times, part, coarse) => {
          const twins = new Twins([])
          for (let n = 0; n < times; n += 1) for (const act of all) act(twins)
          twins.edit(rows, Math.floor(twins.trial.sequence * part), coarse)
          expect(missing(twins.ask(one))).toEqual([])
        },
      ),
      propertyRuns(10_000),
    )
  }, 300_000)

  it('tells counts, orders and clearings of the whole session as exactly as before', () => {
    let exact = 0
    fc.assert(
      fc.property(rules, acts(24), fc.nat(24), call, (rows, all, fold, one) => {
        const plain = rows.filter(
          ({ plain: { type, by, scope, condition } }) =>
            by.length === 0 &&
            scope !== 'task' &&
            (type === 'temporal' ||
              type === 'temporal_ordered' ||
              (type === 'event_count' && condition !== null && !('lt' in condition))) &&
            !('lte' in (condition ?? {})),
        )
        const twins = new Twins(plain)
        // Nothing clears and nothing is taken back, of which less is known afterwards.
        const kept = plain.every(({ plain: { until } }) => until === null)
        for (const act of all) act(twins)
        if (!kept || twins.events.some(({ unsent }) => unsent)) return
        twins.edit(plain, fold)
        const { engine, naive } = twins.ask(one)
        expect(engine).toEqual(naive)
        exact += 1
      }),
      propertyRuns(10_000),
    )
    expect(exact).toBeGreaterThan(100)
  }, 300_000)
})
