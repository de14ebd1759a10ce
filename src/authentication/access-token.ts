// JWT access tokens (RFC 9068): header, issuer, key, signature, and only then the claims.

import type { JsonObject } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { readClaims, type UnprovenClaims } from './claims.ts'
import type { AuthenticationContext } from './context.ts'
import { confirmedBy } from './introspected.ts'
import { isAlgorithm, type Algorithm, type Issuer } from './issuer.ts'
import { isSigned, type Jws } from './jws.ts'
import { readSegment } from './payload.ts'
import { tokenInvalid, type AuthenticationRefusal } from './refusal.ts'
import { listedAsValid } from './status-list/check.ts'
import { isIdentifier } from './text.ts'

interface Header {
  readonly algorithm: Algorithm
  readonly kid: string
}

export async function verifyAccessToken(
  token: Jws,
  context: AuthenticationContext,
): Promise<Result<UnprovenClaims, AuthenticationRefusal>> {
  const header = readHeader(token.header)
  if (!header.ok) return header
  const { algorithm, kid } = header.value

  const payload = readSegment(token.payload)
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
  const claims = readClaims(payload.value, issuer.value, context, context.now(), kid)
  if (!claims.ok) return claims
  const listed = await listedAsValid(payload.value, issuer.value, context)
  if (!listed.ok) return listed
  return issuer.value.introspection?.jwt === true
    ? confirmedBy(token.text, claims.value, issuer.value, context)
    : claims
}

/** Everything else in a header (`jwk`, `jku`, `x5u`, `x5c`) is attacker input and left alone. */
function readHeader({ alg, kid }: JsonObject): Result<Header, AuthenticationRefusal> {
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
  // Inactive and unknown look alike: nobody learns which issuers once were trusted. So does one that
  // speaks for workloads or administrators: what it signs is no access token.
  return issuer?.active === true && issuer.kind === 'oauth'
    ? ok(issuer)
    : err({ at: 'authenticate', reason: 'issuer_unknown' })
}
