// Pure. Everything that a call passes and that a result could bring back: no rule asks where it comes
// from, but a result that brings it back gives it no origin.
import { InexactNumber, isJsonObject, type JsonValue } from '../../mcp/value.ts'
import { canon } from './canon.ts'
import { DEEPEST, LONGEST_FIELD } from './fields.ts'
import { mentionsIn } from './mentions.ts'
import { skeletonOf } from './skeleton.ts'
import { scalarsOf } from './values.ts'

/** The role of a text that no row gives one, of what is written whole, and of other spellings. */
export const PASSED = 'passed'

const MOST_TEXTS = 4_096
/** Lines and cells of one text that are looked at: prose has few that are short. */
const MOST_PIECES = 64
/** Shorter ones come back by chance: flags, counts, words. */
const SHORTEST_TEXT = 3
const SHORTEST_NUMBER = 6

/** Canonical. null: there is more than is read. */
export function textsPassed(args: JsonValue): Set<string> | null {
  const found = new Set<string>()
  return collect(args, found, 0) ? found : null
}

function collect(value: JsonValue, found: Set<string>, depth: number): boolean {
  if (depth > DEEPEST || found.size > MOST_TEXTS) return false
  if (typeof value === 'string') {
    const texts = scalarsOf(value)
    for (const text of texts ?? []) note(text, found, depth)
    return texts !== null
  }
  if (typeof value === 'number' || value instanceof InexactNumber) {
    const text = value instanceof InexactNumber ? value.text : String(value)
    if (text.length >= SHORTEST_NUMBER) found.add(text)
    return true
  }
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).every((one) => collect(one, found, depth + 1))
  }
  if (!isJsonObject(value)) return true
  return Object.entries(value).every(([name, one]) => {
    // A server may keep what is under a name as a record of that name. Names of parameters are not it.
    if (depth > 0 || !PARAMETER.test(name)) add(name, found)
    return collect(one, found, depth + 1)
  })
}

const PARAMETER = /^[a-z_][\w-]*$/i

/** As a whole; the addresses in it; and the fields of it, where it is written as a record. */
function note(text: string, found: Set<string>, depth: number): void {
  add(text, found)
  for (const address of mentionsIn(text).addresses) add(address, found)
  for (const piece of piecesOf(text, depth)) add(piece, found)
}

function add(text: string, found: Set<string>): void {
  const value = canon(text)
  // No result brings back a longer one as a whole field.
  if (value.length < SHORTEST_TEXT || value.length > LONGEST_FIELD) return
  found.add(value)
  const skeleton = skeletonOf(text)
  if (skeleton !== value && skeleton.length >= SHORTEST_TEXT) found.add(skeleton)
}

/** `{"name": "Eve"}` and `name: Eve`, line by line, as files and notes are written. */
function piecesOf(text: string, depth: number): string[] {
  if (text.length > LONGEST_RECORD) return []
  if (/^\{[^]*\}$/.test(text.trim())) {
    try {
      const record = JSON.parse(text) as JsonValue
      return depth < DEEPEST ? (scalarsOf(record) ?? []).slice(0, MOST_PIECES) : []
    } catch {
      return []
    }
  }
  return text
    .split('\n', MOST_PIECES)
    .flatMap((line) => FIELD.exec(line.slice(0, LONGEST_LINE))?.[1]?.trim() ?? [])
}
const LONGEST_RECORD = 100_000
const LONGEST_LINE = 200
const FIELD = /^[\s>*-]*["']?[\p{L}\p{N}_ -]{1,40}["']?\s?[:=]\s?["']?([^"']{3,100})/u
