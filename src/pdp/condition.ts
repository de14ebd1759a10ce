// Pure. A condition is CEL, type-checked against exactly the variables that a decision supplies
// (variables.ts), and bounded in size: the engine has no budget at run time, so the bounds on text and
// arguments are the budget (measured in docs/decisions/0004-cel.md).
import type { Environment } from '@marcbachmann/cel-js'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { countNodes, findForbidden, looksAtEach, mentions } from './condition-gate.ts'
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
    const forbidden = findForbidden(program.ast)
    if (forbidden !== null) return err(problem('forbidden', text, forbidden.at, forbidden.message))
    const checked = program.check()
    if (!checked.valid) return err(fromError('type', text, checked.error))
    if (checked.type !== 'bool') {
      const message = `yields \`${checked.type ?? 'unknown'}\`, must yield \`bool\``
      return err(problem('type', text, 0, message))
    }
    const readsArguments = mentions(program.ast, 'args')
    const most = looksAtEach(program.ast)
      ? Math.min(MAX_ARGUMENT_VALUES, MAX_VISITS / countNodes(program.ast))
      : MAX_ARGUMENT_VALUES
    return ok({
      text,
      readsCall: readsArguments || mentions(program.ast, 'targets'),
      readsTool: mentions(program.ast, 'tool'),
      evaluate: (variables) =>
        readsArguments && sizeOf(variables.args).values > most
          ? err('the arguments are too large for a condition')
          : run(program, variables),
    })
  } catch (error) {
    // The engine's own bounds on size are refusals, and everything else that it throws is a slip.
    const kind = firstLine(error).startsWith('Exceeded') ? 'forbidden' : 'syntax'
    return err(fromError(kind, text, error))
  }
}

/** How much arguments may hold for a condition to look at them: the engine has no budget. */
const MAX_ARGUMENT_VALUES = 20_000
const MAX_ARGUMENT_TEXT = 262_144
/** Nodes of a condition times values of the arguments, where it looks at each value. */
const MAX_VISITS = 100_000

interface Size {
  readonly values: number
  readonly text: number
}

/** Counted once for all conditions on the same arguments. */
const sizes = new WeakMap<JsonObject, Size>()

function sizeOf(given: JsonObject): Size {
  const known = sizes.get(given) ?? measure(given)
  sizes.set(given, known)
  return known
}

/** Counts no further than to the bounds: what is larger may be much larger. */
function measure(given: JsonObject): Size {
  let values = 0
  let text = 0
  const pending: JsonValue[] = [given]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    values += 1
    if (typeof value === 'string') text += value.length
    const inside = Array.isArray(value)
      ? (value as readonly JsonValue[])
      : isJsonObject(value)
        ? Object.values(value)
        : []
    if (values + inside.length > MAX_ARGUMENT_VALUES || text > MAX_ARGUMENT_TEXT) {
      return { values: Infinity, text: Infinity }
    }
    pending.push(...inside)
  }
  return { values, text }
}

function run(
  program: (context: Record<string, unknown>) => unknown,
  variables: Pick<ConditionVariables, 'args'>,
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
