// Arguments made of one choice for each path that a condition looks at.
import type { JsonObject, JsonValue } from '../../mcp/value.ts'
import { ELEMENT } from './ast.ts'

export const ABSENT: unique symbol = Symbol('absent')

/** What stands at a path; at a shorter one, what stands there in place of an object. */
export interface Choice {
  readonly names: readonly string[]
  readonly value: JsonValue | typeof ABSENT
}

/** All combinations of more than this would take longer than the author wants to wait. */
const MAX_COMBINATIONS = 600

/** Every combination where that is few enough, else each two paths with the first of all others. */
export function combinations(choices: readonly (readonly Choice[])[]): (readonly Choice[])[] {
  const paths = choices.filter(({ length }) => length > 0)
  const count = paths.reduce((product, { length }) => product * length, 1)
  const all = count <= MAX_COMBINATIONS ? product(paths) : pairs(paths).slice(0, MAX_COMBINATIONS)
  return all.filter(isConsistent)
}

const product = (paths: readonly (readonly Choice[])[]): Choice[][] =>
  paths.reduce<Choice[][]>(
    (found, choices) => found.flatMap((one) => choices.map((choice) => [...one, choice])),
    [[]],
  )

function pairs(paths: readonly (readonly Choice[])[]): Choice[][] {
  const first = paths.flatMap((choices) => choices.slice(0, 1))
  const found = paths.flatMap((choices, at) => choices.map((one) => first.with(at, one)))
  for (const [at, choices] of paths.entries()) {
    for (const [between, others] of paths.slice(at + 1).entries()) {
      for (const one of choices) {
        for (const other of others) {
          found.push(first.with(at, one).with(at + 1 + between, other))
        }
      }
    }
  }
  return found
}

/** What one choice says is not there, or is no object, no other puts something into. */
const isConsistent = (choices: readonly Choice[]): boolean =>
  choices.every((one) =>
    choices.every(
      (other) =>
        one === other ||
        !one.names.every((name, at) => other.names[at] === name) ||
        (one.names.length === other.names.length && one.value === other.value),
    ),
  )

/** Without prototypes, as the reader of real arguments makes them. */
export function argumentsOf(choices: readonly Choice[]): JsonObject {
  const root = emptyObject()
  for (const choice of choices) put(root, choice)
  return root as unknown as JsonObject
}

type Building = Record<string | number, unknown>

const emptyObject = (): Building => Object.create(null) as Building

function put(root: Building, { names, value }: Choice): void {
  let parent = root
  for (const [at, name] of names.entries()) {
    const key = name === ELEMENT ? 0 : name
    if (at === names.length - 1) {
      if (value !== ABSENT) parent[key] = value
      return
    }
    parent[key] ??= names[at + 1] === ELEMENT ? [] : emptyObject()
    parent = parent[key] as Building
  }
}
