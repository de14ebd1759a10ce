// Pure. `temporal_ordered`: every label was seen, each after the one before it, all within the
// timespan. Order is that of admission. A call that carries several of the labels may have done them
// in that order, and so may the current one.
import { ok } from '../../result.ts'
import type { LabelFact } from './facts.ts'
import type { RuleDefinition } from './rule.ts'
import type { Moment } from './step.ts'
import { clearedAt, isCleared, windowStart } from './temporal.ts'

export const temporalOrdered: RuleDefinition = {
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
        // From the end, each as late as it can be: if there is a chain in time, then this is one.
        let next: Moment = step.now
        for (const label of labels.toReversed()) {
          if (next.sequence === step.now.sequence && step.labels.includes(label)) continue
          const latest = latestUpTo(history.possible(label), next, cleared)
          if (latest === null || latest.at < from) return false
          next = latest
        }
        return true
      },
    }),
}

function latestUpTo(fact: LabelFact | undefined, next: Moment, cleared: number): Moment | null {
  if (fact === undefined) return null
  const { ring, lost, first } = fact
  for (let at = ring.length - 1; at >= 0; at -= 1) {
    const one = ring[at]
    if (one !== undefined && one.sequence <= next.sequence && !isCleared(one.ended, cleared)) {
      return one
    }
  }
  // INVARIANT: of what the ring has let go of, the latest that it can have been is taken.
  if (lost === null || isCleared(lost.ended, cleared) || first.sequence > next.sequence) return null
  return lost.sequence <= next.sequence ? lost : next
}
