// Pure. How a token is written, looked at before anything in it is believed.

import { err, ok, type Result } from '../result.ts'

/** The three parts of a compact JWS (RFC 7515 §7.1), each in canonical base64url. */
export interface Segments {
  readonly header: string
  readonly payload: string
  readonly signature: string
}

export type SpellingFault = 'not_jwt' | 'spelling'

const MAX_TOKEN_LENGTH = 16_384

const THREE_SEGMENTS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/

/**
 * INVARIANT: a token that passes has exactly one spelling of its bytes. Without this a signature
 * with other unused bits, padding or white space verifies as well (tried with jose 6.2.17).
 * It says nothing about identity: an ECDSA signature (r, s) has a valid twin (r, n - s), so a token
 * is known by its issuer and `jti`, never by its text or a hash of it.
 */
export function readSpelling(
  token: string,
  maxLength = MAX_TOKEN_LENGTH,
): Result<Segments, SpellingFault> {
  if (token.length > maxLength) return err('spelling')
  const match = THREE_SEGMENTS.exec(token)
  if (match === null) return err(token.split('.', 4).length === 3 ? 'spelling' : 'not_jwt')
  const [, header = '', payload = '', signature = ''] = match
  if (!hasCanonicalEnd(header) || !hasCanonicalEnd(payload) || !hasCanonicalEnd(signature)) {
    return err('spelling')
  }
  return ok({ header, payload, signature })
}

/** Base64url without padding (RFC 7515 §2) whose unused trailing bits are zero (RFC 4648 §3.5). */
export function isCanonicalBase64url(text: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(text) && hasCanonicalEnd(text)
}

/** The last character carries four unused bits after one byte, two after two. */
function hasCanonicalEnd(text: string): boolean {
  const last = text.charAt(text.length - 1)
  switch (text.length % 4) {
    case 0:
      return true
    case 2:
      return 'AQgw'.includes(last)
    case 3:
      return 'AEIMQUYcgkosw048'.includes(last)
    default:
      return false
  }
}
