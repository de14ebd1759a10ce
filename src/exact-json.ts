// Pure. Bytes of a token, a key set or a secret -> one JSON object that cannot be read in two ways.

import { readJson } from './mcp/json.ts'
import { InexactNumber, isJsonObject, type JsonObject, type JsonValue } from './mcp/value.ts'
import { err, ok, type Result } from './result.ts'

/** `ignoreBOM` keeps a byte order mark visible, so that the reader refuses it (RFC 8259 §8.1). */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const LIMITS = { depth: 32 }

/**
 * INVARIANT: what is returned is what every correct JSON reader would see: no duplicate members
 * (RFC 7519 §4 leaves the choice to the parser), no number that a double changes, no deep nesting.
 */
export function readObject(bytes: Uint8Array): Result<JsonObject, string> {
  const document = readDocument(bytes)
  return !document.ok || isExact(document.value) ? document : err('a number is not exact')
}

/**
 * The same, where numbers mean nothing to us. A SPIFFE bundle counts its versions in 64 bits
 * (SPIFFE bundle §4.1.1), and such a number comes as an `InexactNumber`.
 */
export function readDocument(bytes: Uint8Array): Result<JsonObject, string> {
  let text: string
  try {
    text = UTF8.decode(bytes)
  } catch {
    return err('not UTF-8')
  }
  const read = readJson(text, LIMITS)
  // The reader's own detail may quote its input, which is part of a credential.
  if (!read.ok) return err('not strict JSON')
  return isJsonObject(read.value) ? ok(read.value) : err('not a JSON object')
}

/** Recursion is bounded by the depth that the reader allowed. */
function isExact(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (value instanceof InexactNumber) return false
  return Object.values(value).every(isExact)
}
