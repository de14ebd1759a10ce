// Pure. `value_sum`: what a field adds up to within the timespan, in the calls that carried the
// label, the current call included when it carries it. `result_rows` is known only once the result
// is: until then it is without bound.
import { err, ok } from '../../result.ts'
import { valuesOf } from './groups.ts'
import type { RuleDefinition } from './rule.ts'
import type { LoggedStep } from './step.ts'
import { amountOf, widthOf, worthOf, type Amount } from './sums.ts'
import { windowStart } from './temporal.ts'

export const valueSum: RuleDefinition = {
  parse: ({ labels, timespanSeconds, condition, field }) => {
    const [label] = labels
    if (label === undefined || labels.length !== 1) return err('`rules` must name one label')
    if (timespanSeconds === null) return err('`timespan_s` is missing')
    if (condition === null) return err('`condition` is missing')
    if (field === null) return err('`field` is missing')
    if (condition.asksForLess) return err('`condition` may only ask for more than something')
    const width = widthOf(timespanSeconds)
    return ok({
      tallies: [{ label, field, timespanSeconds, width }],
      holds: (history, step) => {
        const from = windowStart(timespanSeconds, step)
        let sum = step.labels.includes(label) ? worthOf(plainBucket(addedBy(step, field))) : 0
        for (const key of history.keys(label)) {
          sum += history.memory.sum({ ...key, field, width }, from)
        }
        return condition.holds(sum, sum)
      },
    })
  },
}

/** What a call adds when it is admitted. */
export function addedBy(step: LoggedStep, field: string): Amount {
  if (field === RESULT_ROWS || step.values === null) return { known: 0, unknown: true }
  return amountOf(valuesOf(step, field).map(({ amount }) => amount))
}

export const RESULT_ROWS = 'result_rows'

const plainBucket = ({ known, unknown }: Amount) => ({ sum: known, unknown: unknown ? 1 : 0 })
