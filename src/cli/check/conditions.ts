import { compileCondition, type ConditionProblem } from '../../pdp/condition.ts'
import { samplingFaults } from './samples.ts'
import type { Finding, RowCheck } from './problem.ts'

/** How the engine's own sentences begin, by what the author has to do about it. */
const KINDS: readonly (readonly [RegExp, string, string])[] = [
  [
    /is not allowed|inside another|for each element|^longer than|^Exceeded/,
    'condition_forbidden',
    'write it without, or split it into several rows',
  ],
  [
    /^(?:Unexpected|Unterminated|Invalid|Expected|Reserved|Newlines|Expression must)/,
    'condition_syntax',
    'put the CEL right',
  ],
  [/./, 'condition_type', 'use the names and types of subject, client, agent, tool and args'],
]

export const conditionsCompile: RowCheck = ({ tenant, policies }) =>
  policies.flatMap(({ id, effect, condition }) => {
    if (condition === null) return []
    const compiled = compileCondition(condition)
    if (compiled.ok) return []
    const { message, line, column } = compiled.error
    const [, code, advice] = KINDS.find(([sentence]) => sentence.test(message)) ?? [
      /./,
      'condition_type',
      'put it right',
    ]
    const until = effect === 'deny' ? 'this deny always holds' : 'this allow never counts'
    return [
      {
        code,
        table: 'policies',
        key: [tenant, id],
        message: `the condition does not compile: ${message} (${line}:${column} in it); ${advice}, until then ${until}`,
        within: { text: condition, offset: offsetOf(condition, compiled.error) },
      } satisfies Finding,
    ]
  })

/** Conditions that compile and yet fail on arguments that a caller may well send. */
export const conditionsHold: RowCheck = ({ tenant, policies }) =>
  policies.flatMap(({ id, effect, condition }) => {
    if (condition === null) return []
    const compiled = compileCondition(condition)
    if (!compiled.ok) return []
    const then = effect === 'deny' ? 'this deny then holds' : 'this allow then does not count'
    return samplingFaults(compiled.value).map((fault): Finding => ({
      code: 'warn_condition_errs',
      table: 'policies',
      key: [tenant, id],
      message: `${fault.message} and ${then}; ${fault.advice}`,
      within: { text: condition, offset: fault.offset },
    }))
  })

const offsetOf = (text: string, { line, column }: ConditionProblem): number =>
  text
    .split('\n')
    .slice(0, line - 1)
    .reduce((length, before) => length + before.length + 1, 0) +
  column -
  1
