// Pure. `event_count`: how often the label occurred within the timespan, the current call included
// when it carries the label. "At most 10" is therefore `{"gt": 10}`.
//
// `lt` and `lte` ask whether something is still lacking ("fewer than two reviews": `{"lt": 2}`). For
// them only what is known to have happened counts, which the current call is not.
import { err, ok } from '../../result.ts'
import { parseCounting } from './counting.ts'
import { countSince, happenedSince, RING_SIZE } from './facts.ts'
import type { RuleDefinition } from './rule.ts'
import { windowStart } from './temporal.ts'

export const eventCount: RuleDefinition = {
  looksFor: 'labels',
  perTask: true,
  parse: (columns) => {
    const counting = parseCounting(columns)
    if (!counting.ok) return counting
    const { label, timespanSeconds, condition } = counting.value
    // A bound that the ring cannot reach would be a rule that never fires.
    if (condition.highestBound >= RING_SIZE) {
      return err(`\`condition\` counts to more than ${RING_SIZE - 1}`)
    }
    const { asksForLess, asksForMore } = condition
    return ok({
      restricting: asksForMore ? [label] : [],
      permitting: asksForLess ? [label] : [],
      endings: asksForLess ? [label] : [],
      holds: (history, step) => {
        const from = windowStart(timespanSeconds, step)
        const low = asksForLess ? happenedSince(history.known(label), from) : 0
        const high = asksForMore
          ? countSince(history.possible(label), from) + (step.labels.includes(label) ? 1 : 0)
          : 0
        return condition.holds(low, high)
      },
    })
  },
}
