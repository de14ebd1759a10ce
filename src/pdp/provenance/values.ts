// Pure. The scalar values of an argument: lists and objects are flattened, and a text that is a list
// literal is read as the list, as clients write it ("['a@x.example']").
import { InexactNumber, isJsonObject, type JsonValue } from '../../mcp/value.ts'

/** How many values one call may hold, and how deep they may lie, before nothing is said of them. */
const MOST_VALUES = 4_096
const DEEPEST = 32
/** A text longer than this is no list that anybody wrote by hand. */
const LONGEST_LIST = 100_000

/** null: there are more than are read. */
export const scalarsOf = (value: JsonValue): string[] | null =>
  untrimmedScalarsOf(value)?.map((text) => text.trim()) ?? null

/** The same with the white space that stands before and after them. */
export function untrimmedScalarsOf(value: JsonValue): string[] | null {
  const found: string[] = []
  return collect(value, found, 0) ? found : null
}

function collect(value: JsonValue, found: string[], depth: number): boolean {
  if (value === null) return true
  if (depth > DEEPEST || found.length > MOST_VALUES) return false
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).every((one) => collect(one, found, depth + 1))
  }
  if (isJsonObject(value)) {
    return Object.values(value).every((one) => collect(one, found, depth + 1))
  }
  const whole = value instanceof InexactNumber ? value.text : String(value as string)
  const text = whole.trim()
  if (text === '') return true
  const list = text.length <= LONGEST_LIST ? listLiteral(text) : null
  if (list !== null) return collect(list, found, depth + 1)
  found.push(whole)
  return found.length <= MOST_VALUES
}

/** JSON, or the same with single quotes. A part of it that looks like a list again is one. */
function listLiteral(text: string): readonly JsonValue[] | null {
  if (!text.startsWith('[') || !text.endsWith(']')) return null
  return parsedList(text) ?? parsedList(singleQuoted(text))
}

function parsedList(text: string): readonly JsonValue[] | null {
  try {
    const parsed = JSON.parse(text) as JsonValue
    return Array.isArray(parsed) ? (parsed as readonly JsonValue[]) : null
  } catch {
    return null
  }
}

/** `['it''s', "a"]` has no agreed meaning; what does not parse afterwards stays one text. */
const singleQuoted = (text: string): string => text.replaceAll("'", '"')
