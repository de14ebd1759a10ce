// Pure. SHA-256 as tokens write it: base64url, without padding.

import { createHash } from 'node:crypto'
import type { PublicJwk } from './jwk.ts'

/** Of the UTF-8 of a text; of an ASCII text, such as a token, of its octets. */
export const hashOf = (text: string): string =>
  createHash('sha256').update(text).digest('base64url')

/**
 * RFC 7638 §3: the required members alone, in the order of their names.
 *
 * INVARIANT: only of a key that was read strictly. A key that is spelled in two ways has two
 * thumbprints, and what was revoked by one of them would come back by the other.
 */
export function thumbprintOf(material: PublicJwk['material']): string {
  switch (material.kty) {
    case 'EC': {
      const { crv, kty, x, y } = material
      return hashOf(JSON.stringify({ crv, kty, x, y }))
    }
    case 'OKP': {
      const { crv, kty, x } = material
      return hashOf(JSON.stringify({ crv, kty, x }))
    }
    case 'RSA': {
      const { e, kty, n } = material
      return hashOf(JSON.stringify({ e, kty, n }))
    }
  }
}
