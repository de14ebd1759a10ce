// Pure. A condition is CEL, type-checked against exactly the variables that a decision supplies
// (variables.ts), and bounded in size: the engine has no budget at run time, so the bounds on text and
// arguments are the budget (measured in docs/decisions/0004-cel.md).
import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { ARGUMENTS_ONLY, WHOLE_CALL, type ConditionVariables } from './variables.ts'

export interface Condition<Variables = ConditionVariables> {
  readonly text: string
  /** Whether it looks at the call itself: if so a listing, which has none, cannot evaluate it. */
  readonly readsCall: boolean
  /** Whether it looks at what is known of the tool, which the arguments may change. */
  readonly readsTool: boolean
  /** Anything but `true` or `false` is an error, and so is an exception. */
  evaluate(variables: Variables): Result<boolean, string>
}

/** A condition on what is called, before anybody calls it: of a label or a class of access. */
export type ArgumentCondition = Condition<Pick<ConditionVariables, 'args'>>

/** For the author: lowercase, input in backticks, with the place where it is known. */
export interface ConditionProblem {
  readonly kind: 'syntax' | 'type' | 'forbidden'
  readonly message: string
  readonly line: number
  readonly column: number
}

export const MAX_CONDITION_LENGTH = 2000

/** Backtracking regular expressions, and doubling: both turn a short text into seconds of work. */
const FORBIDDEN_CALLS: ReadonlySet<string> = new Set(['matches', 'bind'])
const COMPREHENSIONS: ReadonlySet<string> = new Set([
  'all',
  'exists',
  'exists_one',
  'filter',
  'map',
])

export const compileCondition = (text: string): Result<Condition, ConditionProblem> =>
  compile(WHOLE_CALL, text)

export const compileArgumentCondition = (
  text: string,
): Result<ArgumentCondition, ConditionProblem> => compile(ARGUMENTS_ONLY, text)

function compile<Variables extends Pick<ConditionVariables, 'args'>>(
  environment: Environment,
  text: string,
): Result<Condition<Variables>, ConditionProblem> {
  if (text.length > MAX_CONDITION_LENGTH) {
    return err(problem('forbidden', text, 0, `longer than ${MAX_CONDITION_LENGTH} characters`))
  }
  try {
    const program = environment.parse(text)
    const forbidden = findForbidden(program.ast, false)
    if (forbidden !== null) return err(problem('forbidden', text, forbidden.at, forbidden.message))
    const checked = program.check()
    if (!checked.valid) return err(fromError('type', text, checked.error))
    if (checked.type !== 'bool') {
      const message = `yields \`${checked.type ?? 'unknown'}\`, must yield \`bool\``
      return err(problem('type', text, 0, message))
    }
    const readsArguments = mentions(program.ast, 'args')
    return ok({
      text,
      readsCall: readsArguments || mentions(program.ast, 'targets'),
      readsTool: mentions(program.ast, 'tool'),
      evaluate: (variables) =>
        readsArguments && !isBounded(variables.args)
          ? err('the arguments are too large for a condition')
          : run(program, variables),
    })
  } catch (error) {
    return err(fromError('syntax', text, error))
  }
}

/** How many values arguments may hold for a condition to look at them: the engine has no budget. */
const MAX_ARGUMENT_VALUES = 20_000

/** Counted once for all conditions on the same arguments. */
const counted = new WeakMap<JsonObject, boolean>()

function isBounded(given: JsonObject): boolean {
  const known = counted.get(given)
  if (known !== undefined) return known
  const bounded = countsTo(given, MAX_ARGUMENT_VALUES)
  counted.set(given, bounded)
  return bounded
}

function countsTo(given: JsonObject, most: number): boolean {
  let left = most
  const pending: JsonValue[] = [given]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    left -= 1
    if (left < 0) return false
    if (Array.isArray(value)) {
      if (value.length > left) return false
      pending.push(...(value as readonly JsonValue[]))
    } else if (isJsonObject(value)) {
      const members = Object.values(value)
      if (members.length > left) return false
      pending.push(...members)
    }
  }
  return true
}

function run(
  program: (context: Record<string, unknown>) => unknown,
  variables: Pick<ConditionVariables, 'args'>,
): Result<boolean, string> {
  try {
    const value = program({ ...variables })
    return typeof value === 'boolean' ? ok(value) : err('did not yield a bool')
  } catch (error) {
    return err(firstLine(error))
  }
}

interface Forbidden {
  readonly at: number
  readonly message: string
}

function findForbidden(node: ASTNode, insideComprehension: boolean): Forbidden | null {
  let inside = insideComprehension
  if (node.op === 'call' || node.op === 'rcall') {
    const name = node.args[0]
    if (FORBIDDEN_CALLS.has(name)) {
      return { at: node.start, message: `\`${name}\` is not allowed: its cost has no bound` }
    }
    if (node.op === 'rcall' && COMPREHENSIONS.has(name)) {
      if (inside) return { at: node.start, message: `\`${name}\` inside another comprehension` }
      // Each element may be looked at, and nothing as long as the arguments for each of them.
      if (node.args[2].some((part) => mentions(part, 'args'))) {
        return { at: node.start, message: `\`${name}\` looks at \`args\` for each element` }
      }
      inside = true
    }
  }
  for (const child of children(node)) {
    const found = findForbidden(child, inside)
    if (found !== null) return found
  }
  return null
}

function mentions(node: ASTNode, name: string): boolean {
  if (node.op === 'id') return node.args === name
  return children(node).some((child) => mentions(child, name))
}

/** Every node below this one, whatever the shape of its operands. */
function children(node: ASTNode): ASTNode[] {
  const found: ASTNode[] = []
  const collect = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(collect)
    else if (isNode(part)) found.push(part)
  }
  collect(node.args)
  return found
}

const isNode = (part: unknown): part is ASTNode =>
  typeof part === 'object' && part !== null && 'op' in part && 'args' in part

function fromError(kind: ConditionProblem['kind'], text: string, error: unknown): ConditionProblem {
  const node =
    typeof error === 'object' && error !== null && 'node' in error ? error.node : undefined
  const at =
    typeof node === 'object' && node !== null && 'pos' in node && typeof node.pos === 'number'
      ? node.pos
      : 0
  return problem(kind, text, at, firstLine(error))
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : 'failed').split('\n', 1)[0] ?? 'failed'

function problem(
  kind: ConditionProblem['kind'],
  text: string,
  at: number,
  message: string,
): ConditionProblem {
  const before = text.slice(0, at).split('\n')
  return {
    kind,
    message,
    line: before.length,
    column: (before[before.length - 1]?.length ?? 0) + 1,
  }
}
