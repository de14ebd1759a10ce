// Pure. `absence`: one of the labels was not seen within the timespan, or a later `until_label`
// cleared it. Seen is only what is known to have happened, before this call was admitted.
import { ok } from '../../result.ts'
import type { LabelFact } from './facts.ts'
import type { Moment } from './step.ts'
import type { RuleDefinition } from './rule.ts'
import { windowStart } from './temporal.ts'

export const absence: RuleDefinition = {
  looksFor: 'labels',
  perTask: false,
  parse: ({ labels, timespanSeconds, untilLabel }) =>
    ok({
      restricting: untilLabel === null ? [] : [untilLabel],
      permitting: labels,
      endings: untilLabel === null ? labels : [untilLabel, ...labels],
      holds: (history, step) => {
        const from = windowStart(timespanSeconds, step)
        const clearing = untilLabel === null ? undefined : history.possible(untilLabel)
        const ends = untilLabel !== null && step.labels.includes(untilLabel)
        return labels.some((label) => {
          const seen = history.known(label)?.committed
          if (seen === undefined || seen === null || seen.at < from) return true
          return ends || mayClear(clearing, seen)
        })
      },
    }),
}

/** INVARIANT: what may clear clears, unless it had ended before what it could clear was admitted. */
function mayClear(clearing: LabelFact | undefined, seen: Moment): boolean {
  if (clearing === undefined) return false
  const { ring, lost } = clearing
  if (lost !== null && (lost.ended === null || lost.ended >= seen.sequence)) return true
  return ring.some(({ ended }) => ended === undefined || ended >= seen.sequence)
}
