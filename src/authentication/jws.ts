// A compact JWS (RFC 7515 §7.1), read strictly and verified with a key that somebody else chose.

import { compactVerify, errors } from 'jose'
import type { JsonObject } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import type { Algorithm } from './issuer.ts'
import { readSegment } from './payload.ts'
import { readSpelling, type SpellingFault } from './spelling.ts'

/** Nothing of it is verified yet. */
export interface Jws {
  readonly text: string
  readonly header: JsonObject
  /** The payload's segment, for `readSegment`: which kind of token this is, is asked first. */
  readonly payload: string
}

export interface JwsFault {
  readonly fault: SpellingFault | 'header' | 'critical'
  readonly detail: string
}

export function readJws(text: string, maxLength?: number): Result<Jws, JwsFault> {
  const segments = readSpelling(text, maxLength)
  if (!segments.ok) {
    return err({ fault: segments.error, detail: 'not a compact JWS in canonical base64url' })
  }
  const header = readSegment(segments.value.header)
  if (!header.ok) return err({ fault: 'header', detail: header.error })
  // RFC 7515 §4.1.11: what must be understood and is not, refuses. We understand none, and RFC 7797's
  // `b64` would make the signed bytes others than the ones we read.
  if (header.value['crit'] !== undefined || header.value['b64'] !== undefined) {
    return err({ fault: 'critical', detail: '`crit` and `b64` are not accepted' })
  }
  return ok({ text, header: header.value, payload: segments.value.payload })
}

/**
 * Media types have no case, and may leave `application/` out (RFC 7515 §4.1.9). `undefined`: no such
 * member; null: one that is no media type.
 */
export function typeOf({ header }: Jws): string | null | undefined {
  const { typ } = header
  if (typeof typ !== 'string') return typ === undefined ? undefined : null
  return typ.toLowerCase().replace(/^application\/(?=[^/]+$)/, '')
}

export async function isSigned(
  { text }: Jws,
  key: CryptoKey,
  algorithm: Algorithm,
): Promise<boolean> {
  try {
    await compactVerify(text, key, { algorithms: [algorithm] })
    return true
  } catch (cause) {
    // jose says its expected no with its own errors; anything else is a fault of ours.
    if (cause instanceof errors.JOSEError) return false
    throw cause
  }
}
