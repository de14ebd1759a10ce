// Pure. What a condition may not be. The engine has no budget at run time, so whatever could make a
// short text run long is refused when it is compiled (measured in docs/decisions/0004-cel.md).
import type { ASTNode } from '@marcbachmann/cel-js'

export interface Forbidden {
  readonly at: number
  readonly message: string
}

/** Backtracking, doubling, and what makes many values out of one text. */
const UNBOUNDED: ReadonlySet<string> = new Set([
  'matches',
  'bind',
  'json',
  'split',
  'join',
  'lastIndexOf',
])
/** Their cost grows with the product of both texts, or faster than the text itself. */
const SEARCHES: ReadonlySet<string> = new Set(['contains', 'indexOf', 'glob'])
const LITERAL_ONLY: ReadonlySet<string> = new Set(['duration'])

const COMPREHENSIONS: ReadonlySet<string> = new Set([
  'all',
  'exists',
  'exists_one',
  'filter',
  'map',
])
/** Dear once, and much dearer for each element. */
const NOT_FOR_EACH: ReadonlySet<string> = new Set(['timestamp', 'duration'])
const NOT_SEEN_FOR_EACH = ['args', 'targets', 'time'] as const

export function findForbidden(node: ASTNode, inComprehension = false): Forbidden | null {
  let inside = inComprehension
  if (node.op === 'call' || node.op === 'rcall') {
    const found = callForbidden(node, inside)
    if (found !== null) return { at: node.start, message: found }
    inside ||= node.op === 'rcall' && COMPREHENSIONS.has(node.args[0])
  }
  for (const child of children(node)) {
    const found = findForbidden(child, inside)
    if (found !== null) return found
  }
  return null
}

function callForbidden(
  node: Extract<ASTNode, { op: 'call' | 'rcall' }>,
  inside: boolean,
): string | null {
  const [name] = node.args
  const given = node.op === 'call' ? node.args[1] : node.args[2]
  if (UNBOUNDED.has(name)) return `\`${name}\` is not allowed: its cost has no bound`
  if (LITERAL_ONLY.has(name) && !given.every((part) => part.op === 'value')) {
    return `\`${name}\` takes a text that is written out, not one that is sent`
  }
  // What is searched for comes last, in `text.contains(needle)` and in `glob(text, pattern)`.
  const needle = given.at(-1)
  if (SEARCHES.has(name) && needle !== undefined && mentions(needle, 'args')) {
    return `\`${name}\` looks for something out of \`args\`: its cost has no bound`
  }
  if (inside && NOT_FOR_EACH.has(name)) return `\`${name}\` inside a comprehension`
  if (node.op !== 'rcall' || !COMPREHENSIONS.has(name)) return null
  if (inside) return `\`${name}\` inside another comprehension`
  // Each element may be looked at, and nothing as long as the arguments for each of them.
  const seen = NOT_SEEN_FOR_EACH.find((one) => given.some((part) => mentions(part, one)))
  return seen === undefined ? null : `\`${name}\` looks at \`${seen}\` for each element`
}

/** Whether its work grows with the number of values: a comprehension, a search in a list, a sum. */
export function looksAtEach(node: ASTNode): boolean {
  if (node.op === '+' || node.op === 'in') return true
  if (node.op === 'rcall' && COMPREHENSIONS.has(node.args[0])) return true
  return children(node).some(looksAtEach)
}

export const countNodes = (node: ASTNode): number =>
  children(node).reduce((sum, child) => sum + countNodes(child), 1)

export function mentions(node: ASTNode, name: string): boolean {
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
