import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../../support/property-runs.ts'
import { acts, call, relabelling, rules } from '../../../support/sequence/generate.ts'
import { Twins } from '../../../support/sequence/twins.ts'

describe('the engine and a list that is scanned whole for every question', () => {
  it('agree on parallel calls, failures, what was withheld, groups, scopes and clearings', () => {
    const held = new Map<boolean, number>()
    fc.assert(
      fc.property(
        rules,
        acts(24),
        fc.array(call, { minLength: 1, maxLength: 3 }),
        (rows, all, calls) => {
          const twins = new Twins(rows)
          for (const act of all) act(twins)
          for (const one of calls) {
            const { engine, naive } = twins.ask(one)
            expect(engine).toEqual(naive)
            held.set(naive.length > 0, (held.get(naive.length > 0) ?? 0) + 1)
          }
        },
      ),
      propertyRuns(80_000),
    )
    // Neither answer is rare, or the agreement would say nothing.
    const [yes = 0, no = 0] = [held.get(true), held.get(false)]
    expect(Math.min(yes, no) / (yes + no)).toBeGreaterThan(0.2)
  }, 300_000)

  it('agree after an edit of the rules amid the history: what was before counts', () => {
    fc.assert(
      fc.property(rules, rules, acts(12), acts(12), call, (before, after, first, then, one) => {
        const twins = new Twins(before)
        for (const act of first) act(twins)
        twins.edit(after)
        const soon = twins.ask(one)
        expect(soon.engine).toEqual(soon.naive)
        for (const act of then) act(twins)
        const later = twins.ask(one)
        expect(later.engine).toEqual(later.naive)
      }),
      propertyRuns(20_000),
    )
  }, 300_000)

  it('agree after the labels of a tool have changed amid the history', () => {
    fc.assert(
      fc.property(
        rules,
        acts(12),
        relabelling,
        acts(12),
        call,
        (rows, first, relabel, then, one) => {
          const twins = new Twins(rows)
          for (const act of first) act(twins)
          relabel(twins)
          const soon = twins.ask(one)
          expect(soon.engine).toEqual(soon.naive)
          for (const act of then) act(twins)
          const later = twins.ask(one)
          expect(later.engine).toEqual(later.naive)
        },
      ),
      propertyRuns(20_000),
    )
  }, 300_000)

  it('differ after very long histories only where the engine refuses more', () => {
    fc.assert(
      fc.property(
        rules,
        acts(40),
        fc.integer({ min: 2, max: 20 }),
        call,
        (rows, all, times, one) => {
          const twins = new Twins(rows)
          for (let n = 0; n < times; n += 1) for (const act of all) act(twins)
          const { engine, naive } = twins.ask(one)
          expect(naive.filter((id) => !engine.includes(id))).toEqual([])
        },
      ),
      propertyRuns(10_000),
    )
  }, 300_000)
})
