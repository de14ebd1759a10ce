// Pure. `event_count`: how often the label occurred within the timespan, the current call included
// when it carries the label. "At most 10" is therefore `{"gt": 10}`.
import { err, ok } from '../../result.ts'
import { countSince, RING_SIZE } from './facts.ts'
import type { RuleDefinition } from './rule.ts'

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
    return ok((history, step) => {
      const before = countSince(history.get(label), step.now.at - timespanSeconds * 1000)
      return condition.holds(before + (step.labels.includes(label) ? 1 : 0))
    })
  },
}
