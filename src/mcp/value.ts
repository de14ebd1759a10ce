// Pure. JSON as it arrived: what `JSON.parse` would have changed silently stays visible.

/**
 * A JSON number that a double cannot hold (`12345678901234567890`, `1e400`). It is forwarded as it
 * was written and never compared by a policy as if it had been read exactly.
 */
export class InexactNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }

  /** Into records as it was written; `JSON.rawJSON` is ES2026, and so not in the typed library yet. */
  toJSON(): unknown {
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(this.text)
  }
}

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | InexactNumber
  | readonly JsonValue[]
  | JsonObject

/** Always without a prototype, so that no member name means anything but itself. */
export interface JsonObject {
  readonly [name: string]: JsonValue
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof InexactNumber)
  )
}
