// Pure. `value_count`: how many distinct values a role or a resource type had within the timespan,
// in the calls that carried the label, the current call included when it carries it. Values of a kind
// are as many as they have names.
import { err, ok } from '../../result.ts'
import { parseCountingUp } from './counting.ts'
import { VALUES_BOUND } from './distinct.ts'
import { nameIn, valuesOf } from './groups.ts'
import type { RuleDefinition } from './rule.ts'
import { windowStart } from './temporal.ts'
import { RESULT_ROWS } from './value-sum.ts'

export const valueCount: RuleDefinition = {
  looksFor: 'labels',
  perTask: true,
  parse: (columns) => {
    const counting = parseCountingUp(columns)
    if (!counting.ok) return counting
    const { label, timespanSeconds, condition } = counting.value
    const { field } = columns
    if (field === null || field === RESULT_ROWS) return err('`field` must be a role or a kind')
    if (condition.highestBound >= VALUES_BOUND) {
      return err(`\`condition\` counts to more than ${VALUES_BOUND - 1}`)
    }
    return ok({
      tallies: [{ label, field, timespanSeconds, width: null }],
      holds: (history, step) => {
        const isCounted = step.labels.includes(label)
        if (isCounted && step.values === null) return true
        const also = isCounted ? valuesOf(step, field).map(nameIn) : []
        const from = windowStart(timespanSeconds, step)
        const keys = history.keys(label).map((key) => ({ ...key, field }))
        const count = history.memory.distinct(keys, from, also)
        return condition.holds(count, count)
      },
    })
  },
}
