// Pure. `value_count`: how many distinct values a role or a resource type had within the timespan,
// in the calls that carried the label, the current call included when it carries it.
import { err, ok } from '../../result.ts'
import { VALUES_BOUND } from './distinct.ts'
import { valuesOf } from './groups.ts'
import type { RuleDefinition } from './rule.ts'
import { windowStart } from './temporal.ts'

export const valueCount: RuleDefinition = {
  parse: ({ labels, timespanSeconds, condition, field }) => {
    const [label] = labels
    if (label === undefined || labels.length !== 1) return err('`rules` must name one label')
    if (timespanSeconds === null) return err('`timespan_s` is missing')
    if (condition === null) return err('`condition` is missing')
    if (field === null || field === 'result_rows') return err('`field` must be a role or a kind')
    if (condition.highestBound >= VALUES_BOUND) {
      return err(`\`condition\` counts to more than ${VALUES_BOUND - 1}`)
    }
    if (condition.asksForLess) return err('`condition` may only ask for more than something')
    return ok({
      tallies: [{ label, field, timespanSeconds, width: null }],
      holds: (history, step) => {
        const isCounted = step.labels.includes(label)
        if (isCounted && step.values === null) return true
        const also = isCounted ? valuesOf(step, field).map(({ digest }) => digest) : []
        const from = windowStart(timespanSeconds, step)
        const keys = history.keys(label).map((key) => ({ ...key, field }))
        const count = history.memory.distinct(keys, from, also)
        return condition.holds(count, count)
      },
    })
  },
}
