// Pure. What a tool is, as its server lists it: the text that is pinned, and how another differs.
import { canonical } from './canonical.ts'
import { InexactNumber, isJsonObject, type JsonObject, type JsonValue } from './value.ts'

/**
 * All of a tool, and not only what a model is shown today: a client may come to use any member, and
 * one that were left out could change unseen. The pin is the lowercase hex SHA-256 of this text.
 */
export const canonicalDefinition = (tool: JsonObject): string => canonical(tool)

/** One place where two definitions differ, for people. */
export interface Difference {
  /** RFC 6901; one that is very long ends with `…`. */
  readonly pointer: string
  /** Canonical JSON, or the part of it around the difference; null: nothing is there. */
  readonly pinned: string | null
  readonly seen: string | null
}

const MOST_DIFFERENCES = 20
const LONGEST_VALUE = 200
const LONGEST_POINTER = 500
/** How much of a text is repeated before the place where two texts part. */
const LEAD = 40
/** Pairs of values that are looked at, and how deep: more than the strict reader lets in. */
const MOST_PAIRS = 1_000_000
const DEEPEST = 64

/**
 * Sorted by pointer. Of more than 20 differences the first that are met are told, in the order of
 * the pinned members; whoever needs all of them has both texts.
 */
export function differences(pinned: JsonObject, seen: JsonObject): Difference[] {
  const comparison = new Comparison()
  comparison.compare('', pinned, seen, 0)
  return comparison.found.toSorted((a, b) =>
    a.pointer < b.pointer ? -1 : a.pointer > b.pointer ? 1 : 0,
  )
}

class Comparison {
  readonly found: Difference[] = []
  #pairs = MOST_PAIRS
  #stopped = false

  compare(pointer: string, pinned: JsonValue, seen: JsonValue, depth: number): void {
    if (this.#full) return
    this.#pairs -= 1
    const bothLists = Array.isArray(pinned) && Array.isArray(seen)
    const bothObjects = isJsonObject(pinned) && isJsonObject(seen)
    if (!bothLists && !bothObjects) {
      if (!sameScalar(pinned, seen)) this.#note(pointer, pinned, seen)
    } else if (depth >= DEEPEST || this.#pairs <= 0) {
      // Not compared to the end is told as a difference: nobody may take it for equality.
      this.#note(pointer, pinned, seen)
      this.#stopped = this.#pairs <= 0
    } else if (bothObjects) {
      this.#members(pointer, pinned, seen, depth)
    } else if (bothLists) {
      this.#elements(pointer, pinned, seen, depth)
    }
  }

  get #full(): boolean {
    return this.#stopped || this.found.length >= MOST_DIFFERENCES
  }

  #members(pointer: string, pinned: JsonObject, seen: JsonObject, depth: number): void {
    for (const name of Object.keys(pinned)) {
      this.#either(step(pointer, name), member(pinned, name), member(seen, name), depth)
      if (this.#full) return
    }
    for (const name of Object.keys(seen)) {
      if (!Object.hasOwn(pinned, name)) this.#note(step(pointer, name), undefined, seen[name])
      if (this.#full) return
    }
  }

  #elements(
    pointer: string,
    pinned: readonly JsonValue[],
    seen: readonly JsonValue[],
    depth: number,
  ): void {
    const length = Math.max(pinned.length, seen.length)
    for (let at = 0; at < length && !this.#full; at += 1) {
      this.#either(step(pointer, String(at)), pinned[at], seen[at], depth)
    }
  }

  #either(
    pointer: string,
    pinned: JsonValue | undefined,
    seen: JsonValue | undefined,
    depth: number,
  ): void {
    if (pinned === undefined || seen === undefined) this.#note(pointer, pinned, seen)
    else this.compare(pointer, pinned, seen, depth + 1)
  }

  #note(pointer: string, pinned: JsonValue | undefined, seen: JsonValue | undefined): void {
    if (this.#full) return
    const from = typeof pinned === 'string' && typeof seen === 'string' ? parting(pinned, seen) : 0
    this.found.push({ pointer, pinned: excerpt(pinned, from), seen: excerpt(seen, from) })
  }
}

const member = (object: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined

/** `-0` and `0` have one canonical form (RFC 8785 §3.2.2.3), and so are the same here. */
const sameScalar = (a: JsonValue, b: JsonValue): boolean =>
  a instanceof InexactNumber && b instanceof InexactNumber ? a.text === b.text : a === b

/** Where two long texts begin to differ: an instruction is slipped in at the end, not at the start. */
function parting(a: string, b: string): number {
  let at = 0
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1
  return at > LONGEST_VALUE / 2 ? at - LEAD : 0
}

/** Written only as far as it is shown. */
function excerpt(value: JsonValue | undefined, from: number): string | null {
  if (value === undefined) return null
  if (typeof value !== 'string') return cut(opening(value, LONGEST_VALUE + 1), LONGEST_VALUE)
  const shown = JSON.stringify(value.slice(from, from + LONGEST_VALUE).toWellFormed())
  return from === 0 ? cut(shown, LONGEST_VALUE) : `…${cut(shown.slice(1), LONGEST_VALUE - 1)}`
}

/** How canonical JSON begins: `room` characters, or all of it and perhaps some more. */
function opening(value: JsonValue, room: number): string {
  if (typeof value === 'string')
    return JSON.stringify(value.slice(0, Math.max(room, 0)).toWellFormed())
  const list = Array.isArray(value)
  if (!list && !isJsonObject(value)) return canonical(value).slice(0, room)
  let text = list ? '[' : '{'
  // INVARIANT: each turn writes at least one character, so depth and turns are bounded by the room.
  for (const key of list ? value.keys() : Object.keys(value).toSorted()) {
    if (text.length >= room) return text
    if (text.length > 1) text += ','
    if (typeof key === 'string') text += `${opening(key, room - text.length)}:`
    const part = list ? value[key as number] : value[key]
    text += opening(part ?? null, room - text.length)
  }
  return `${text}${list ? ']' : '}'}`
}

const step = (pointer: string, name: string): string =>
  cut(`${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, LONGEST_POINTER)

/** `…` shows that there was more; no character is cut in two. */
function cut(text: string, longest: number): string {
  if (text.length <= longest) return text
  const shown = text.slice(0, longest - 1)
  return `${shown.isWellFormed() ? shown : shown.slice(0, -1)}…`
}
