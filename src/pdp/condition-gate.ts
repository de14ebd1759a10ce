// Pure. What a condition may not be. The engine has no budget at run time, so whatever could make a
// short text run long is refused when it is compiled (measured in docs/decisions/0004-cel.md).
import type { ASTNode } from '@marcbachmann/cel-js'

export interface Forbidden {
  readonly at: number
  readonly message: string
}

/** Backtracking, doubling, and what makes more out of one text than was sent. */
const UNBOUNDED: ReadonlySet<string> = new Set([
  'matches',
  'bind',
  'json',
  'hex',
  'base64',
  'split',
  'join',
  'lastIndexOf',
])
/** Their cost grows with the product of both texts. */
const SEARCHES: ReadonlySet<string> = new Set(['contains', 'indexOf', 'glob'])
const MAX_DURATION_LENGTH = 32

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
/** What a message holds: as long and as many as its sender likes. */
const SENT: ReadonlySet<string> = new Set(['args', 'targets'])

type Call = Extract<ASTNode, { op: 'call' | 'rcall' }>

export const findForbidden = (node: ASTNode): Forbidden | null => findIn(node, false, SENT)

/** `sent`: the names of what a message holds, at this place. */
function findIn(node: ASTNode, inside: boolean, sent: ReadonlySet<string>): Forbidden | null {
  if (node.op !== 'call' && node.op !== 'rcall') return findBelow(node, inside, sent)
  const found = callForbidden(node, inside, sent)
  if (found !== null) return { at: node.start, message: found }
  const comprehension = comprehensionOf(node)
  if (comprehension === null) return findBelow(node, inside, sent)
  const { range, element } = comprehension
  const known = element !== null && mentionsAny(range, sent) ? new Set([...sent, element]) : sent
  return findBelow(node, true, known)
}

function findBelow(node: ASTNode, inside: boolean, sent: ReadonlySet<string>): Forbidden | null {
  for (const child of children(node)) {
    const found = findIn(child, inside, sent)
    if (found !== null) return found
  }
  return null
}

function callForbidden(node: Call, inside: boolean, sent: ReadonlySet<string>): string | null {
  const [name] = node.args
  const given = node.op === 'call' ? node.args[1] : node.args[2]
  if (UNBOUNDED.has(name)) return `\`${name}\` is not allowed: its cost has no bound`
  // The engine reads it by a pattern that backtracks.
  if (name === 'duration' && !given.every((part) => literalLength(part) <= MAX_DURATION_LENGTH)) {
    return '`duration` takes a short text that is written out, not one that is sent'
  }
  // What is searched for comes last, in `text.contains(needle)` and in `glob(text, pattern)`.
  const needle = SEARCHES.has(name) ? given.at(name === 'indexOf' ? 0 : -1) : undefined
  if (needle !== undefined && mentionsAny(needle, sent)) {
    return `\`${name}\` looks for something that is sent: its cost has no bound`
  }
  if (inside && NOT_FOR_EACH.has(name)) return `\`${name}\` inside a comprehension`
  if (comprehensionOf(node) === null) return null
  if (inside) return `\`${name}\` inside another comprehension`
  // Each element may be looked at, and nothing as long as the arguments for each of them.
  const seen = NOT_SEEN_FOR_EACH.find((one) => given.some((part) => mentions(part, one)))
  return seen === undefined ? null : `\`${name}\` looks at \`${seen}\` for each element`
}

interface Comprehension {
  readonly range: ASTNode
  /** What the body calls one element. */
  readonly element: string | null
}

function comprehensionOf(node: ASTNode): Comprehension | null {
  if (node.op !== 'rcall' || !COMPREHENSIONS.has(node.args[0])) return null
  const [, range, [variable]] = node.args
  return { range, element: variable?.op === 'id' ? variable.args : null }
}

/**
 * Whether its work grows with the number of values: a comprehension, a search in a list, a sum, and
 * two things that were sent compared with each other.
 */
export function looksAtEach(node: ASTNode): boolean {
  if (node.op === '+' || node.op === 'in' || comprehensionOf(node) !== null) return true
  const compares = node.op === '==' || node.op === '!='
  if (compares && children(node).every((side) => mentionsAny(side, SENT))) return true
  return children(node).some(looksAtEach)
}

/** Characters of a text that is written out which cost as much as a step. */
const LITERAL_STEP = 16

/**
 * How many steps one value may take: nodes, and long texts for more than one. What is listed several
 * times in a comprehension is gone through as often.
 */
export function weightOf(node: ASTNode): number {
  const below = children(node).map(weightOf)
  const weight = 1 + Math.floor(literalLength(node, 0) / LITERAL_STEP) + sum(below)
  const comprehension = comprehensionOf(node)
  if (comprehension === null) return weight
  const times = countSent(comprehension.range)
  return times < 2 ? weight : weight * times
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

const countSent = (node: ASTNode): number =>
  node.op === 'id' ? (SENT.has(node.args) ? 1 : 0) : sum(children(node).map(countSent))

/** Of a text that is written out. */
const literalLength = (node: ASTNode, otherwise = Infinity): number =>
  node.op === 'value' && typeof node.args === 'string' ? node.args.length : otherwise

export const mentions = (node: ASTNode, name: string): boolean =>
  node.op === 'id' ? node.args === name : children(node).some((child) => mentions(child, name))

const mentionsAny = (node: ASTNode, names: ReadonlySet<string>): boolean =>
  node.op === 'id' ? names.has(node.args) : children(node).some((one) => mentionsAny(one, names))

/** Every node right below this one, whatever the shape of its operands. */
export function children(node: ASTNode): ASTNode[] {
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
