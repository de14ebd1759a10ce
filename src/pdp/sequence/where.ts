// Pure. `on_where`: what the arguments of the triggering call must say, by role. True if any value
// of the role matches, for each role that is named.
import { err, ok, type Result } from '../../result.ts'
import { canon } from '../provenance/canon.ts'
import type { Step, StepValue } from './step.ts'

type Test = (value: StepValue) => boolean

/**
 * One text may hold several addresses ("a@x, b@y", "Bob <b@y>"): each is looked at, so that an inner
 * one at the end hides no outer one before it.
 */
const partsOf = (text: string): string[] => text.split(/[\s,;<>]+/).filter((part) => part !== '')

const TEXT_TESTS: { readonly [name: string]: (text: string, operand: string) => boolean } = {
  suffix: (text, operand) => partsOf(text).some((part) => part.endsWith(operand)),
  not_suffix: (text, operand) => partsOf(text).some((part) => !part.endsWith(operand)),
  prefix: (text, operand) => text.startsWith(operand),
  not_prefix: (text, operand) => !text.startsWith(operand),
}

/** What is no number may be any. */
const NUMBER_TESTS: { readonly [name: string]: (amount: number, operand: number) => boolean } = {
  gt: (amount, operand) => amount > operand,
  gte: (amount, operand) => amount >= operand,
  lt: (amount, operand) => amount < operand,
  lte: (amount, operand) => amount <= operand,
}

export type Where = (step: Pick<Step, 'values'>) => boolean

export function parseWhere(parsed: unknown): Result<Where, string> {
  if (!isObject(parsed)) {
    return err('`on_where` must be an object such as `{"target": {"not_suffix": "@corp.example"}}`')
  }
  const roles: { readonly role: string; readonly tests: readonly Test[] }[] = []
  for (const [role, named] of Object.entries(parsed)) {
    if (!isObject(named) || Object.keys(named).length === 0) {
      return err(`\`on_where\` tests nothing of \`${role}\``)
    }
    const tests: Test[] = []
    for (const [name, operand] of Object.entries(named)) {
      const test = testOf(name, operand)
      if (test === null) return err(`\`on_where\` has no test \`${name}\` with such a value`)
      tests.push(test)
    }
    roles.push({ role, tests })
  }
  if (roles.length === 0) return err('`on_where` is empty')
  return ok(
    ({ values }) =>
      // INVARIANT: arguments that cannot be read are taken to match.
      values === null ||
      roles.every(({ role, tests }) =>
        values.some(
          (value) =>
            (value.role === role || value.type === role) && tests.every((test) => test(value)),
        ),
      ),
  )
}

function testOf(name: string, operand: unknown): Test | null {
  const text = Object.hasOwn(TEXT_TESTS, name) ? TEXT_TESTS[name] : undefined
  if (text !== undefined) {
    if (typeof operand !== 'string' || canon(operand) === '') return null
    const wanted = canon(operand)
    return (value) => text(value.text, wanted)
  }
  const number = Object.hasOwn(NUMBER_TESTS, name) ? NUMBER_TESTS[name] : undefined
  if (number !== undefined) {
    if (typeof operand !== 'number' || !Number.isFinite(operand)) return null
    return ({ amount }) => amount === null || number(amount, operand)
  }
  if (name !== 'in' && name !== 'not_in') return null
  if (!Array.isArray(operand) || operand.length === 0 || !operand.every(isText)) return null
  const members = new Set(operand.map(canon))
  return (value) => members.has(value.text) === (name === 'in')
}

const isText = (value: unknown): value is string => typeof value === 'string'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
