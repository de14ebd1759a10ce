// Pure. JSON pointers (RFC 6901) with one addition: a segment `*` stands for every element of a list.
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'

export interface Pointed {
  /** In the order of the document. */
  readonly values: readonly JsonValue[]
  /** Somewhere on the way nothing was there, or `null`. */
  readonly absent: boolean
  /** Somewhere on the way something was there that has another shape: it may mean anything. */
  readonly misfit: boolean
  readonly tooMany: boolean
}

/** How many values one pointer may find. */
const MAX_VALUES = 10_000

export function valuesAt(root: JsonValue, pointer: readonly string[]): Pointed {
  let found: readonly JsonValue[] = [root]
  let absent = false
  let misfit = false
  for (const segment of pointer) {
    const next: JsonValue[] = []
    for (const value of found) {
      const inside = step(value, segment)
      if (inside === 'absent') absent = true
      else if (inside === 'misfit') misfit = true
      else if (next.length + inside.length > MAX_VALUES) {
        return { values: [], absent, misfit, tooMany: true }
      } else for (const one of inside) next.push(one)
    }
    found = next
  }
  return { values: found, absent, misfit, tooMany: false }
}

function step(value: JsonValue, segment: string): readonly JsonValue[] | 'absent' | 'misfit' {
  if (value === null) return 'absent'
  if (Array.isArray(value)) {
    const list = value as readonly JsonValue[]
    // An empty list has no elements, and that is all it says.
    if (segment === '*') return list
    if (!ARRAY_INDEX.test(segment)) return 'misfit'
    const element = list[Number(segment)]
    return element === undefined ? 'absent' : [element]
  }
  if (!isJsonObject(value) || segment === '*') return 'misfit'
  const members = membersNamed(value, segment)
  return members.length === 0 ? 'absent' : members
}

/**
 * In any case of letters: many servers do not tell `To` from `to` (encoding/json of Go,
 * System.Text.Json for the web), so what is under either is what such a server may act on.
 */
export function membersNamed(object: JsonObject, name: string): readonly JsonValue[] {
  const wanted = name.toLowerCase()
  return Object.entries(object).flatMap(([member, value]) =>
    member === name || member.toLowerCase() === wanted ? [value] : [],
  )
}

/** RFC 6901 §4: no leading zeros. */
const ARRAY_INDEX = /^(?:0|[1-9][0-9]{0,8})$/

/** `/a~1b/*` -> `['a/b', '*']` (RFC 6901 §4: `~1` before `~0`). */
export const parsePointer = (text: string): readonly string[] =>
  text
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
