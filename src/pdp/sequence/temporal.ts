// Pure. `temporal`: every label was seen, in any order, within the timespan, and no later
// `until_label` cleared it.
import { ok } from '../../result.ts'
import type { LabelFact } from './facts.ts'
import type { History } from './history.ts'
import type { RuleDefinition } from './rule.ts'
import type { Step } from './step.ts'

export const temporal: RuleDefinition = {
  looksFor: 'labels',
  perTask: false,
  parse: ({ labels, timespanSeconds, untilLabel }) =>
    ok({
      restricting: labels,
      permitting: untilLabel === null ? [] : [untilLabel],
      endings: untilLabel === null ? [] : [untilLabel, ...labels],
      holds: (history, step) => {
        const from = windowStart(timespanSeconds, step)
        const cleared = clearedAt(history, untilLabel)
        return labels.every(
          (label) =>
            // The current call counts for the labels it carries itself: one call that reads in bulk
            // and exports is the whole sequence.
            step.labels.includes(label) || stands(history.possible(label), from, cleared),
        )
      },
    }),
}

export const windowStart = (timespanSeconds: number | null, { now }: Step): number =>
  timespanSeconds === null ? -Infinity : now.at - timespanSeconds * 1000

/** What clears must have happened: a pending call counts as its worst case, which is not at all. */
export const clearedAt = (history: History, untilLabel: string | null): number =>
  (untilLabel === null ? null : history.known(untilLabel)?.committed)?.sequence ?? 0

/**
 * INVARIANT: a clearing clears only what had ended when it was admitted: what a call brings after
 * that was not there to be cleared.
 */
export const isCleared = (ended: number | undefined | null, cleared: number): boolean =>
  typeof ended === 'number' && ended < cleared

function stands(fact: LabelFact | undefined, from: number, cleared: number): boolean {
  if (fact === undefined || fact.last.at < from) return false
  const { ring, lost, lostAt } = fact
  for (let at = ring.length - 1; at >= 0; at -= 1) {
    const one = ring[at]
    if (one !== undefined && one.at >= from && !isCleared(one.ended, cleared)) return true
  }
  if (lostAt !== null && lostAt >= from) return true
  return lost !== null && lost.ended !== null && lost.at >= from && lost.ended >= cleared
}
