// JWT access tokens (RFC 9068): spelling, header, issuer, key, signature, and only then the claims.

import { compactVerify, errors } from 'jose'
import type { JsonObject } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { readClaims, type Claims } from './claims.ts'
import type { AuthenticationContext } from './context.ts'
import { isAlgorithm, type Algorithm, type Issuer } from './issuer.ts'
import { readSegment } from './payload.ts'
import { tokenInvalid, type AuthenticationRefusal } from './refusal.ts'
import { readSpelling } from './spelling.ts'
import { isIdentifier } from './text.ts'

/** RFC 9068 §2.1. Any other kind of token, an ID token or an ID-JAG, is none of ours. */
const ACCESS_TOKEN_TYPE = /^(?:application\/)?at\+jwt$/i

interface Header {
  readonly algorithm: Algorithm
  readonly kid: string
}

export async function verifyAccessToken(
  token: string,
  context: AuthenticationContext,
): Promise<Result<Claims, AuthenticationRefusal>> {
  const segments = readSpelling(token)
  if (!segments.ok) return tokenInvalid(segments.error, 'not a compact JWS in canonical base64url')

  const header = readHeader(segments.value.header)
  if (!header.ok) return header
  const { algorithm, kid } = header.value

  const payload = readSegment(segments.value.payload)
  if (!payload.ok) return tokenInvalid('payload', payload.error)

  const issuer = chooseIssuer(payload.value, context)
  if (!issuer.ok) return issuer
  // The issuer's own list, not ours: one issuer's RS256 is no licence for another's.
  if (!issuer.value.algorithms.includes(algorithm)) {
    return tokenInvalid('algorithm', '`alg` is not among those of the issuer')
  }

  const key = await context.keys.find(issuer.value, kid, algorithm)
  if (key === 'unavailable') return err({ at: 'authenticate', reason: 'issuer_unavailable' })
  if (key === 'unknown') return tokenInvalid('key_unknown', '`kid` names no key of the issuer')
  if (!(await isSigned(token, key, algorithm))) {
    return tokenInvalid('signature', 'the signature does not verify')
  }
  // INVARIANT: the claims come from the strict reading above, never from jose's: of two members
  // with one name it takes the last. Both read the very segment that the signature covers.
  return readClaims(payload.value, issuer.value, context, context.now())
}

/** Everything else in a header (`jwk`, `jku`, `x5u`, `x5c`) is attacker input and left alone. */
function readHeader(segment: string): Result<Header, AuthenticationRefusal> {
  const header = readSegment(segment)
  if (!header.ok) return tokenInvalid('header', header.error)
  const { typ, alg, kid, crit, b64 } = header.value
  if (crit !== undefined || b64 !== undefined) {
    return tokenInvalid('critical', '`crit` and `b64` are not accepted')
  }
  if (typeof typ !== 'string' || !ACCESS_TOKEN_TYPE.test(typ)) {
    return tokenInvalid('type', '`typ` is not at+jwt')
  }
  if (!isAlgorithm(alg)) return tokenInvalid('algorithm', '`alg` is not accepted from anybody')
  if (!isIdentifier(kid)) return tokenInvalid('header', '`kid` is not an identifier')
  return ok({ algorithm: alg, kid })
}

/** The unverified `iss` serves one purpose: to choose among the issuers that are configured. */
function chooseIssuer(
  payload: JsonObject,
  context: AuthenticationContext,
): Result<Issuer, AuthenticationRefusal> {
  const { iss } = payload
  if (typeof iss !== 'string') return tokenInvalid('issuer', '`iss` is not a string')
  const issuer = context.issuers.get(iss)
  // Inactive and unknown look alike: nobody learns which issuers once were trusted.
  return issuer?.active === true
    ? ok(issuer)
    : err({ at: 'authenticate', reason: 'issuer_unknown' })
}

async function isSigned(token: string, key: CryptoKey, algorithm: Algorithm): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] })
    return true
  } catch (cause) {
    // jose says its expected no with its own errors; anything else is a fault of ours.
    if (cause instanceof errors.JOSEError) return false
    throw cause
  }
}
