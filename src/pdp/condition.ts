// Pure. The one place that knows the expression engine. A condition is CEL, type-checked against
// exactly the variables that a decision supplies, and bounded in size: the engine has no budget at
// run time, so the bounds on the text are the budget (measured in docs/decisions/0004-cel.md).
import { Environment, type ASTNode } from '@marcbachmann/cel-js'
import { err, ok, type Result } from '../result.ts'
import type { JsonObject } from '../mcp/value.ts'

/** What a condition can see, by name. `args` holds what the caller sent, so its members are untyped. */
export interface ConditionVariables {
  readonly subject: {
    readonly id: string
    readonly kind: 'user' | 'workload'
    readonly issuer: string
    readonly roles: readonly string[]
  }
  readonly client: { readonly id: string }
  readonly agent: {
    readonly id: string
    readonly present: boolean
    readonly roles: readonly string[]
  }
  readonly tool: {
    readonly name: string
    readonly server: string
    readonly access: string
    readonly labels: readonly string[]
  }
  readonly args: JsonObject
}

export interface Condition {
  readonly text: string
  /** Whether it looks at the arguments: if so a listing, which has none, cannot evaluate it. */
  readonly readsArguments: boolean
  /** Anything but `true` or `false` is an error, and so is an exception. */
  evaluate(variables: ConditionVariables): Result<boolean, string>
}

/** For the author: lowercase, input in backticks, with the place where it is known. */
export interface ConditionProblem {
  readonly message: string
  readonly line: number
  readonly column: number
}

export const MAX_CONDITION_LENGTH = 2000

const environment = new Environment({
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  limits: {
    maxAstNodes: 200,
    maxDepth: 24,
    maxListElements: 64,
    maxMapEntries: 16,
    maxCallArguments: 8,
  },
})
  .registerVariable({
    name: 'subject',
    schema: { id: 'string', kind: 'string', issuer: 'string', roles: 'list<string>' },
  })
  .registerVariable({ name: 'client', schema: { id: 'string' } })
  .registerVariable({
    name: 'agent',
    schema: { id: 'string', present: 'bool', roles: 'list<string>' },
  })
  .registerVariable({
    name: 'tool',
    schema: { name: 'string', server: 'string', access: 'string', labels: 'list<string>' },
  })
  .registerVariable({ name: 'args', type: 'map' })

/** Backtracking regular expressions, and doubling: both turn a short text into seconds of work. */
const FORBIDDEN_CALLS: ReadonlySet<string> = new Set(['matches', 'bind'])
const COMPREHENSIONS: ReadonlySet<string> = new Set([
  'all',
  'exists',
  'exists_one',
  'filter',
  'map',
])

export function compileCondition(text: string): Result<Condition, ConditionProblem> {
  if (text.length > MAX_CONDITION_LENGTH) {
    return err(problem(text, 0, `longer than ${MAX_CONDITION_LENGTH} characters`))
  }
  try {
    const program = environment.parse(text)
    const forbidden = findForbidden(program.ast, false)
    if (forbidden !== null) return err(problem(text, forbidden.at, forbidden.message))
    const checked = program.check()
    if (!checked.valid) return err(fromError(text, checked.error))
    if (checked.type !== 'bool') {
      return err(problem(text, 0, `yields \`${checked.type ?? 'unknown'}\`, must yield \`bool\``))
    }
    return ok({
      text,
      readsArguments: mentions(program.ast, 'args'),
      evaluate: (variables) => run(program, variables),
    })
  } catch (error) {
    return err(fromError(text, error))
  }
}

function run(
  program: (context: Record<string, unknown>) => unknown,
  variables: ConditionVariables,
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

function fromError(text: string, error: unknown): ConditionProblem {
  const node =
    typeof error === 'object' && error !== null && 'node' in error ? error.node : undefined
  const at =
    typeof node === 'object' && node !== null && 'pos' in node && typeof node.pos === 'number'
      ? node.pos
      : 0
  return problem(text, at, firstLine(error))
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : 'failed').split('\n', 1)[0] ?? 'failed'

function problem(text: string, at: number, message: string): ConditionProblem {
  const before = text.slice(0, at).split('\n')
  return { message, line: before.length, column: (before[before.length - 1]?.length ?? 0) + 1 }
}
