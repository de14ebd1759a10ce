// A condition tried out on generated arguments. The core's own evaluation says what becomes of them.
import type { Result } from '../../result.ts'
import type { ConditionVariables } from '../../pdp/variables.ts'
import { argumentPaths, ELEMENT, textsIn, type ArgumentPath } from './ast.ts'
import { choicesAt, kindOf, kindsOf } from './choices.ts'
import { circumstances } from './circumstances.ts'
import { ABSENT, argumentsOf, combinations, type Choice } from './combinations.ts'
import type { InputSchema } from './input-schema.ts'
import { inputsOf, type ReachedTool } from './reach.ts'

export interface Tried {
  readonly text: string
  evaluate(variables: ConditionVariables): Result<boolean, string>
}

export interface SamplingFault {
  readonly message: string
  readonly advice: string
  readonly offset: number
}

/** Of a condition that compiles, on calls of these tools: where it fails. */
export function samplingFaults(condition: Tried, tools: readonly ReachedTool[]): SamplingFault[] {
  const paths = argumentPaths(condition.text)
  const texts = textsIn(condition.text)
  const people = circumstances(texts, tools)
  const fails: Fails = (choices) => {
    const args = argumentsOf(choices)
    for (const person of people) {
      const outcome = condition.evaluate({ ...person, args })
      if (!outcome.ok) return outcome.error
    }
    return null
  }
  const inputs = inputsOf(tools)
  const faults =
    inputs === null
      ? faultsOfAnything(paths, texts, fails)
      : inputs.flatMap((input) => faultsOfSchema(input, paths, texts, fails))
  return [...new Map(faults.map((fault) => [fault.message, fault])).values()]
}

/** The error with some circumstances, or null. */
type Fails = (choices: readonly Choice[]) => string | null

/** Every choice here is one that the server takes: each failure is one that people will meet. */
function faultsOfSchema(
  schema: InputSchema,
  paths: readonly ArgumentPath[],
  texts: readonly string[],
  fails: Fails,
): SamplingFault[] {
  const choices = paths.map(({ names }) => choicesAt(schema, names, texts))
  const tried = combinations(choices).map((made) => ({ made, error: fails(made) }))
  const failing = tried.filter(({ error }) => error !== null)
  if (failing.length > 0 && failing.length === tried.length) {
    return [alwaysFails(failing[0]?.error ?? null, paths)]
  }
  const faults = new Map<ArgumentPath, SamplingFault>()
  for (const { made, error } of failing) {
    // The path by which it stands or falls: another choice for it, and all is well.
    const at = made.findIndex((_, index) =>
      choices[index]?.some((other) => fails(made.with(index, other)) === null),
    )
    const path = paths[at] ?? paths[0]
    const choice = made[at]
    if (path === undefined || faults.has(path)) continue
    faults.set(path, choice === undefined ? failsOn(path, error) : failsWhere(path, choice))
  }
  return [...faults.values()]
}

/** Where anything may be sent: only what a path's absence breaks, or what breaks in every case. */
function faultsOfAnything(
  paths: readonly ArgumentPath[],
  texts: readonly string[],
  fails: Fails,
): SamplingFault[] {
  const choices = paths.map(({ names }) =>
    kindsOf(texts).map((value): Choice => ({ names, value })),
  )
  const good = combinations(choices).filter((made) => fails(made) === null)
  if (good.length === 0) {
    const five = paths.map(({ names }): Choice => ({ names, value: 5 }))
    return [alwaysFails(fails(five), paths)]
  }
  return paths.flatMap((path, at) => {
    const missing = path.names.map((_, end): Choice => ({
      names: path.names.slice(0, end + 1),
      value: ABSENT,
    }))
    const without = missing.find((choice) =>
      good.some((made) => {
        const others = made.filter((_, other) => other !== at)
        return others.every(({ names }) => names[0] !== path.names[0])
          ? fails([...others, choice]) !== null
          : choice.names.length === path.names.length && fails([...others, choice]) !== null
      }),
    )
    return without === undefined ? [] : [failsWhere(path, without)]
  })
}

const alwaysFails = (error: string | null, [first]: readonly ArgumentPath[]): SamplingFault => ({
  message: `the condition fails whatever the arguments are (${error ?? 'an error'})`,
  advice: 'a number in `args` is a double, so write `1.0` in arithmetic',
  offset: first?.offset ?? 0,
})

const failsOn = (path: ArgumentPath, error: string | null): SamplingFault => ({
  message: `the condition fails on arguments that the tool takes (${error ?? 'an error'})`,
  advice: 'ask for what it needs first, with `has(…)` or `type(…)`',
  offset: path.offset,
})

function failsWhere(path: ArgumentPath, { names, value }: Choice): SamplingFault {
  const whole = names.length === path.names.length
  const text = whole ? path.text : written(names)
  return {
    message: `the condition fails where \`${text}\` is ${kindOf(value)}`,
    advice:
      value !== ABSENT
        ? `ask for its type first, as in \`type(${text}) == string\``
        : names.at(-1) === ELEMENT
          ? `ask first how many there are, with \`size(${written(names.slice(0, -1))})\``
          : `guard it with \`has(${text})\``,
    offset: path.offset,
  }
}

export const written = (names: readonly string[]): string =>
  names.reduce(
    (text, name) =>
      name === ELEMENT
        ? `${text}[0]`
        : /^[A-Za-z_]\w*$/.test(name)
          ? `${text}.${name}`
          : `${text}[${JSON.stringify(name)}]`,
    'args',
  )
