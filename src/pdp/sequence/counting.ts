// Pure. What the three types that count have in common: one label, a timespan, a condition.
import { err, ok, type Result } from '../../result.ts'
import type { RuleColumns } from './columns.ts'
import type { CountCondition } from './condition.ts'

export interface Counting {
  readonly label: string
  readonly timespanSeconds: number
  readonly condition: CountCondition
}

export function parseCounting({
  labels,
  timespanSeconds,
  condition,
}: RuleColumns): Result<Counting, string> {
  const [label] = labels
  if (label === undefined || labels.length !== 1) return err('`rules` must name one label')
  if (timespanSeconds === null) return err('`timespan_s` is missing')
  if (condition === null) return err('`condition` is missing')
  return ok({ label, timespanSeconds, condition })
}

/** Of values and sums the worst case is a large one: to ask for little would permit by it. */
export function parseCountingUp(columns: RuleColumns): Result<Counting, string> {
  const counting = parseCounting(columns)
  return counting.ok && counting.value.condition.asksForLess
    ? err('`condition` may only ask for more than something')
    : counting
}
