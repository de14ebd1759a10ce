// A condition as the engine's own parser sees it: which arguments it looks at, and where.
import type { ASTNode } from '@marcbachmann/cel-js'
import { children } from '../../pdp/condition-gate.ts'
import { WHOLE_CALL } from '../../pdp/variables.ts'

/** `args.a["b"][0]` -> names `a`, `b`, `*`. */
export interface ArgumentPath {
  readonly names: readonly string[]
  /** As the author wrote it. */
  readonly text: string
  readonly offset: number
}

/** Any element of a list: which one a condition means is not always known. */
export const ELEMENT = '*'

/** Of a condition that is known to compile. */
export const parse = (condition: string): ASTNode => WHOLE_CALL.parse(condition).ast

/** Every node below this one and itself, whatever the shape of its operands. */
export function nodesOf(node: ASTNode): ASTNode[] {
  const found: ASTNode[] = [node]
  for (const child of children(node)) found.push(...nodesOf(child))
  return found
}

/** null: it is no path into the arguments. `args` itself is the path without names. */
export function pathOf(node: ASTNode, root = 'args'): ArgumentPath | null {
  const names: string[] = []
  let inner = node
  while (inner.op === '.' || inner.op === '[]') {
    const [object, member] = inner.args
    if (typeof member === 'string') names.unshift(member)
    else if (member.op !== 'value') names.unshift(ELEMENT)
    else names.unshift(typeof member.args === 'string' ? member.args : ELEMENT)
    inner = object
  }
  if (inner.op !== 'id' || inner.args !== root) return null
  return { names, text: node.input.slice(node.start, node.end), offset: node.start }
}

/** Each once, and none that only leads to a longer one: that is a guard or a parent. */
export function argumentPaths(condition: string): readonly ArgumentPath[] {
  const found = new Map<string, ArgumentPath>()
  for (const node of nodesOf(parse(condition))) {
    const path = pathOf(node)
    if (path === null || path.names.length === 0) continue
    const key = JSON.stringify(path.names)
    const known = found.get(key)
    if (known === undefined || path.offset < known.offset) found.set(key, path)
  }
  const all = [...found.values()].toSorted((a, b) => a.offset - b.offset)
  return all.filter(({ names }) => !all.some((other) => leadsTo(names, other.names)))
}

const leadsTo = (names: readonly string[], longer: readonly string[]): boolean =>
  longer.length > names.length && names.every((name, at) => longer[at] === name)

/** Texts that stand in the condition, with which generated values are more to the point. */
export const textsIn = (condition: string): readonly string[] => [
  ...new Set(
    nodesOf(parse(condition)).flatMap((node) =>
      node.op === 'value' && typeof node.args === 'string' ? [node.args] : [],
    ),
  ),
]
