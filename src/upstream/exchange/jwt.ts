// A token that somebody else's client may not read (RFC 9068 §6) and that we look into all the same:
// to send on what was not asked for would be worse.
import { readJws, typeOf } from '../../authentication/jws.ts'
import { readSegment } from '../../authentication/payload.ts'
import type { JsonObject } from '../../mcp/value.ts'

/** Not verified: it came from the issuer itself, over a connection that names it. */
export interface JwtParts {
  /** In lower case; null: none. */
  readonly type: string | null
  readonly claims: JsonObject
}

/** null: no JWT. A text of three parts that cannot be read strictly is neither one nor the other. */
export function readClaimsSegment(text: string): JwtParts | null | 'unreadable' {
  if (text.split('.').length !== 3) return null
  const jws = readJws(text)
  if (!jws.ok) return 'unreadable'
  const type = typeOf(jws.value)
  const claims = readSegment(jws.value.payload)
  if (type === null || !claims.ok) return 'unreadable'
  return { type: type ?? null, claims: claims.value }
}
