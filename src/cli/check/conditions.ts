// Conditions that do not compile, and those that compile and fail.
import type { ConditionProblem } from '../../pdp/condition.ts'
import { conditionUses } from './condition-uses.ts'
import { samplingFaults } from './samples.ts'
import type { Finding, RowCheck } from './problem.ts'

/** The engine says its own limits with its complaints about syntax. */
const adviceOn = ({ kind }: ConditionProblem, variables: string): string => {
  switch (kind) {
    case 'syntax':
      return 'put the CEL right'
    case 'type':
      return `use the names and types of ${variables}`
    case 'forbidden':
      return 'write it without, or split it into several rows'
  }
}

export const conditionsCompile: RowCheck = (rows) =>
  conditionUses(rows).flatMap(({ at, text, compiled, variables, whileBroken }): Finding[] => {
    if (compiled.ok) return []
    const { kind, message, line, column } = compiled.error
    const advice = adviceOn(compiled.error, variables)
    return [
      {
        ...at,
        code: `condition_${kind}`,
        message: `the condition does not compile: ${message} (${line}:${column} in it); ${advice}, until then ${whileBroken}`,
        within: { text, offset: offsetOf(text, compiled.error) },
      },
    ]
  })

/** Conditions that compile and yet fail on arguments that a caller may well send. */
export const conditionsHold: RowCheck = (rows) =>
  conditionUses(rows).flatMap(({ at, text, compiled, tools, whereItFails }): Finding[] => {
    if (!compiled.ok) return []
    return samplingFaults(compiled.value, tools).map((fault) => ({
      ...at,
      code: 'warn_condition_errs',
      message: `${fault.message} and ${whereItFails}; ${fault.advice}`,
      within: { text, offset: fault.offset },
    }))
  })

const offsetOf = (text: string, { line, column }: ConditionProblem): number =>
  text
    .split('\n')
    .slice(0, line - 1)
    .reduce((length, before) => length + before.length + 1, 0) +
  column -
  1
