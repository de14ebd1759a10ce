// Pure. The form of `authorization_details` (RFC 9396 §2). What an entry allows is asked elsewhere.

import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { isIdentifier } from './text.ts'

const MAX_ENTRIES = 64

/** Null: no such claim, so no such bound. An empty array is one, and it leaves nothing. */
export function readAuthorizationDetails(
  value: JsonValue | undefined,
): Result<readonly JsonObject[] | null, string> {
  if (value === undefined) return ok(null)
  if (!Array.isArray(value)) return err('`authorization_details` is not an array')
  const entries = value as readonly JsonValue[]
  if (entries.length > MAX_ENTRIES) return err('`authorization_details` has more than 64 entries')
  const read: JsonObject[] = []
  for (const entry of entries) {
    if (!isJsonObject(entry)) return err('an entry of `authorization_details` is not an object')
    if (!isIdentifier(entry['type'])) return err('an entry of `authorization_details` has no type')
    read.push(entry)
  }
  return ok(read)
}
