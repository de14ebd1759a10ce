// Pure. Canonical JSON (RFC 8785): one text for one value, for digests. Members are ordered by
// UTF-16 code units (§3.2.3); scalars are written as ECMAScript writes them (§3.2.2).
import { InexactNumber, isJsonObject, type JsonValue } from './value.ts'

export function canonical(value: JsonValue): string {
  if (value instanceof InexactNumber) return value.text
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (isJsonObject(value)) {
    const members = Object.keys(value)
      .toSorted()
      .map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value)
}
