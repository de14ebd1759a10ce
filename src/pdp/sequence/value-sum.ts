// Pure. `value_sum`: what a field adds up to within the timespan, in the calls that carried the
// label, the current call included when it carries it. `result_rows` is known only once the result
// is: until then it is without bound, but for the current call, which has brought none yet. So one call
// at a time can be under way where the reads themselves have a budget of rows, and it binds the next.
import { err, ok } from '../../result.ts'
import { parseCountingUp } from './counting.ts'
import { valuesOf } from './groups.ts'
import type { RuleDefinition } from './rule.ts'
import type { LoggedStep } from './step.ts'
import { amountOf, plus, widthOf, worthOf, type Amount } from './sums.ts'
import { windowStart } from './temporal.ts'

export const valueSum: RuleDefinition = {
  looksFor: 'labels',
  perTask: true,
  parse: (columns) => {
    const counting = parseCountingUp(columns)
    if (!counting.ok) return counting
    const { label, timespanSeconds, condition } = counting.value
    const { field } = columns
    if (field === null) return err('`field` is missing')
    const width = widthOf(timespanSeconds)
    return ok({
      tallies: [{ label, field, timespanSeconds, width }],
      holds: (history, step) => {
        const from = windowStart(timespanSeconds, step)
        let sum = step.labels.includes(label) ? ownOf(step, field) : 0
        for (const key of history.keys(label)) {
          sum += history.memory.sum({ ...key, field, width }, from)
        }
        return condition.holds(sum, sum)
      },
    })
  },
}

/** Of the call that asks: what it passes counts, and what it may read is not there yet. */
const ownOf = (step: LoggedStep, field: string): number =>
  field === RESULT_ROWS ? 0 : worthOf(plus(undefined, addedBy(step, field)))

/** What a call adds when it is admitted. */
export function addedBy(step: LoggedStep, field: string): Amount {
  if (field === RESULT_ROWS || step.values === null) return { known: 0, unknown: true }
  return amountOf(valuesOf(step, field).map(({ amount }) => amount))
}

export const RESULT_ROWS = 'result_rows'
