// Pure. What an identifier inside a token may look like.

import type { JsonValue } from '../mcp/value.ts'

const MAX_BYTES = 256

/** Control characters and line separators: one log line must stay one log line. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/u

const UTF8 = new TextEncoder()

/** A non-empty string of at most 256 bytes without control characters. */
export function isIdentifier(value: JsonValue | undefined): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_BYTES &&
    // A UTF-16 unit takes at most three bytes, so short strings need not be encoded to be counted.
    (value.length * 3 <= MAX_BYTES || UTF8.encode(value).length <= MAX_BYTES) &&
    !UNPRINTABLE.test(value)
  )
}

/** Whole seconds since the epoch. RFC 7519 §2 allows fractions; nobody needs them here. */
export function isEpochSeconds(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
