// Pure. A value that was read, written again: numbers that a double cannot hold as they came.
import { InexactNumber, isJsonObject, type JsonValue } from './value.ts'

/** INVARIANT: `readJson(stringify(value))` is `value` again. */
export function stringify(value: JsonValue): string {
  if (value instanceof InexactNumber) return value.text
  if (Array.isArray(value)) return `[${value.map(stringify).join(',')}]`
  if (isJsonObject(value)) {
    const members = Object.entries(value).map(
      ([name, member]) => `${JSON.stringify(name)}:${stringify(member)}`,
    )
    return `{${members.join(',')}}`
  }
  // `JSON.stringify` would drop the sign.
  return Object.is(value, -0) ? '-0' : JSON.stringify(value)
}
