// Pure. A condition is CEL, type-checked against exactly the variables that a decision supplies
// (variables.ts), and bounded in size: the engine has no budget at run time, so the bounds on text and
// arguments are the budget (measured in docs/decisions/0004-cel.md).
import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { findForbidden, looksAtEach, mentions, weightOf } from './condition-gate.ts'
import {
  ARGUMENTS_ONLY,
  WHOLE_CALL,
  type ConditionVariables,
  type TargetVariable,
} from './variables.ts'

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

export const compileCondition = (text: string): Result<Condition, ConditionProblem> =>
  compile(WHOLE_CALL, text)

export const compileArgumentCondition = (
  text: string,
): Result<ArgumentCondition, ConditionProblem> => compile(ARGUMENTS_ONLY, text)

function compile<Variables extends Given>(
  environment: Environment,
  text: string,
): Result<Condition<Variables>, ConditionProblem> {
  if (text.length > MAX_CONDITION_LENGTH) {
    return err(problem('forbidden', text, 0, `longer than ${MAX_CONDITION_LENGTH} characters`))
  }
  try {
    const program = environment.parse(text)
    const forbidden = findForbidden(program.ast)
    if (forbidden !== null) return err(problem('forbidden', text, forbidden.at, forbidden.message))
    const checked = program.check()
    if (!checked.valid) return err(fromError('type', text, checked.error))
    if (checked.type !== 'bool') {
      const message = `yields \`${checked.type ?? 'unknown'}\`, must yield \`bool\``
      return err(problem('type', text, 0, message))
    }
    const readsArguments = mentions(program.ast, 'args')
    const readsTargets = mentions(program.ast, 'targets')
    const most = roomFor(program.ast)
    return ok({
      text,
      readsCall: readsArguments || readsTargets,
      readsTool: mentions(program.ast, 'tool'),
      evaluate: (variables) => {
        if (readsArguments && !fits(argumentsSize(variables.args), most)) {
          return err('the arguments are too large for a condition')
        }
        return readsTargets && !fits(targetsSize(variables.targets ?? []), most)
          ? err('the call names too much for a condition')
          : run(program, variables)
      },
    })
  } catch (error) {
    // The engine's own bounds on size are refusals, and everything else that it throws is a slip.
    const kind = firstLine(error).startsWith('Exceeded') ? 'forbidden' : 'syntax'
    return err(fromError(kind, text, error))
  }
}

/** What the sender of a message decides. */
type Given = Pick<ConditionVariables, 'args'> & Partial<Pick<ConditionVariables, 'targets'>>

interface Size {
  readonly values: number
  /** In letters, names of members among them. */
  readonly text: number
}

/** How much a condition may be given to look at: the engine has no budget. */
const MOST: Size = { values: 20_000, text: 262_144 }
/** Steps of a condition times what it is given, where it looks at each value, and at each letter. */
const MAX_VISITS = 45_000
const MAX_LETTERS = 8_000_000

function roomFor(ast: ASTNode): Size {
  const weight = weightOf(ast)
  return {
    values: looksAtEach(ast) ? Math.min(MOST.values, MAX_VISITS / weight) : MOST.values,
    text: Math.min(MOST.text, MAX_LETTERS / weight),
  }
}

const fits = ({ values, text }: Size, most: Size): boolean =>
  values <= most.values && text <= most.text

/** Each is counted once for all conditions on it. */
const sizes = new WeakMap<object, Size>()

function once<Counted extends object>(counted: Counted, count: (one: Counted) => Size): Size {
  const known = sizes.get(counted) ?? count(counted)
  sizes.set(counted, known)
  return known
}

const argumentsSize = (given: JsonObject): Size => once(given, countArguments)

/** Counts no further than to the bounds: what is larger may be much larger. */
function countArguments(given: JsonObject): Size {
  let values = 0
  let text = 0
  const pending: JsonValue[] = [given]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    values += 1
    if (typeof value === 'string') text += value.length
    else if (Array.isArray(value)) {
      const list = value as readonly JsonValue[]
      if (values + list.length > MOST.values) return BEYOND
      for (const one of list) pending.push(one)
    } else if (isJsonObject(value)) {
      for (const [name, one] of Object.entries(value)) {
        text += name.length
        pending.push(one)
      }
    }
    if (values + pending.length > MOST.values || text > MOST.text) return BEYOND
  }
  return { values, text }
}

const BEYOND: Size = { values: Infinity, text: Infinity }

const targetsSize = (targets: readonly TargetVariable[]): Size =>
  once(targets, () => ({
    values: targets.length,
    text: targets.reduce((text, { id, owner }) => text + id.length + owner.length, 0),
  }))

function run(
  program: (context: Record<string, unknown>) => unknown,
  variables: Given,
): Result<boolean, string> {
  // An error for each of many elements is dear only for the traces that nobody reads.
  const { stackTraceLimit } = ENGINE_ERRORS
  ENGINE_ERRORS.stackTraceLimit = 0
  try {
    const value = program({ ...variables })
    return typeof value === 'boolean' ? ok(value) : err('did not yield a bool')
  } catch (error) {
    // It may quote the caller, and it is stored.
    return err(firstLine(error).slice(0, MAX_ERROR_LENGTH))
  } finally {
    ENGINE_ERRORS.stackTraceLimit = stackTraceLimit
  }
}

/** V8's own switch, which the language does not know (v8.dev/docs/stack-trace-api). */
const ENGINE_ERRORS = Error as unknown as { stackTraceLimit: number | undefined }

const MAX_ERROR_LENGTH = 200

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
