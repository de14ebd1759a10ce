// Pure. `temporal`: every label was seen, in any order, within the timespan, and no later
// `until_label` cleared it.
import { ok } from '../../result.ts'
import type { History, RuleDefinition, Step } from './rule.ts'

export const temporal: RuleDefinition = {
  parse: ({ labels, timespanSeconds, untilLabel }) =>
    ok((history, step) => {
      const from = timespanSeconds === null ? -Infinity : step.now.at - timespanSeconds * 1000
      // What clears must have happened: a pending call counts as its worst case, which is not at all.
      const until = untilLabel === null ? null : history.get(untilLabel)?.committed
      const cleared = until?.sequence ?? 0
      return labels.every((label) => stands(history, step, label, from, cleared))
    }),
}

/**
 * The current call counts for the labels it carries itself: one call that reads in bulk and exports
 * is the whole sequence.
 *
 * INVARIANT: a clearing clears only what had ended when it was admitted: what a call brings after
 * that was not there to be cleared.
 */
function stands(
  history: History,
  step: Step,
  label: string,
  from: number,
  cleared: number,
): boolean {
  if (step.labels.includes(label)) return true
  const fact = history.get(label)
  if (fact === undefined || fact.last.at < from) return false
  if (cleared === 0 || (fact.lostAt !== null && fact.lostAt >= from)) return true
  return fact.ring.some(({ at, ended }) => at >= from && (ended === undefined || ended >= cleared))
}
