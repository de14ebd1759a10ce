// Pure.

import { base64url } from 'jose'
import { readObject } from '../exact-json.ts'
import type { JsonObject } from '../mcp/value.ts'
import type { Result } from '../result.ts'

/** A segment that passed the spelling check, as the JSON object it must hold (RFC 7519 §7.2). */
export function readSegment(segment: string): Result<JsonObject, string> {
  return readObject(base64url.decode(segment))
}
