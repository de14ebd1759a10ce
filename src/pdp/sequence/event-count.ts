// Pure. `event_count`: how often the label occurred within the timespan, the current call included
// when it carries the label. "At most 10" is therefore `{"gt": 10}`.
import { err, ok } from '../../result.ts'
import { countSince, happenedSince, RING_SIZE } from './facts.ts'
import type { RuleDefinition } from './rule.ts'
import { windowStart } from './temporal.ts'

export const eventCount: RuleDefinition = {
  parse: ({ labels, timespanSeconds, condition }) => {
    const [label] = labels
    if (label === undefined || labels.length !== 1) return err('`rules` must name one label')
    if (timespanSeconds === null) return err('`timespan_s` is missing')
    if (condition === null) return err('`condition` is missing')
    // A bound that the ring cannot reach would be a rule that never fires.
    if (condition.highestBound >= RING_SIZE) {
      return err(`\`condition\` counts to more than ${RING_SIZE - 1}`)
    }
    return ok({
      endings: condition.asksForLess ? [label] : [],
      holds: (history, step) => {
        const from = windowStart(timespanSeconds, step)
        const high =
          countSince(history.possible(label), from) + (step.labels.includes(label) ? 1 : 0)
        // What is not known to have happened does not lift a number that should be reached.
        const low = condition.asksForLess ? happenedSince(history.known(label), from) : high
        return condition.holds(low, high)
      },
    })
  },
}
