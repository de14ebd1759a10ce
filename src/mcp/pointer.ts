// Pure. JSON pointers (RFC 6901) with one addition: a segment `*` stands for every element of a list.
import { isJsonObject, type JsonValue } from './value.ts'

export interface Pointed {
  /** In the order of the document. */
  readonly values: readonly JsonValue[]
  /** Some part of the way was not there, or was not what the pointer expects on its way. */
  readonly missing: boolean
}

/** How many values one pointer may find: what lies beyond counts as missing. */
const MAX_VALUES = 10_000

export function valuesAt(root: JsonValue, pointer: readonly string[]): Pointed {
  let found: readonly JsonValue[] = [root]
  let missing = false
  for (const segment of pointer) {
    const next: JsonValue[] = []
    for (const value of found) {
      const inside = step(value, segment)
      if (inside === null || next.length + inside.length > MAX_VALUES) missing = true
      else for (const one of inside) next.push(one)
    }
    found = next
  }
  return { values: found, missing }
}

/** null: there is nothing of that name. */
function step(value: JsonValue, segment: string): readonly JsonValue[] | null {
  if (Array.isArray(value)) {
    const list = value as readonly JsonValue[]
    // An empty list has no elements, and that is all it says.
    if (segment === '*') return list
    const element = ARRAY_INDEX.test(segment) ? list[Number(segment)] : undefined
    return element === undefined ? null : [element]
  }
  if (!isJsonObject(value)) return null
  const member = Object.hasOwn(value, segment) ? value[segment] : undefined
  return member === undefined ? null : [member]
}

/** RFC 6901 §4: no leading zeros. */
const ARRAY_INDEX = /^(?:0|[1-9][0-9]{0,8})$/

/** `/a~1b/*` -> `['a/b', '*']` (RFC 6901 §4: `~1` before `~0`). */
export const parsePointer = (text: string): readonly string[] =>
  text
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
