// A token that is no JWS: only its issuer can say what it means (RFC 7662).

import type { JsonObject } from '../mcp/value.ts'
import type { Result } from '../result.ts'
import { readClaims, type UnprovenClaims } from './claims.ts'
import type { AuthenticationContext } from './context.ts'
import { tokenInvalid, type AuthenticationRefusal } from './refusal.ts'

/**
 * With three parts or more it is a JWT, a JWE or an attempt at one, and those are never shown to an
 * issuer that may not be theirs. Some issuers write one dot into opaque tokens.
 */
const MAX_PARTS = 2

export async function verifyOpaqueToken(
  text: string,
  context: AuthenticationContext,
): Promise<Result<UnprovenClaims, AuthenticationRefusal>> {
  // At most one row of a tenant takes opaque tokens: a token is never shown to a second issuer.
  const issuer = [...context.issuers.values()].find(
    ({ active, introspection }) => active && introspection?.opaque === true,
  )
  if (issuer === undefined || text.split('.', MAX_PARTS + 1).length > MAX_PARTS) {
    return tokenInvalid('not_jwt', 'not a compact JWS in canonical base64url')
  }
  const told = await context.introspect(text, issuer)
  if (!told.ok) return told
  const claims = readClaims(told.value, issuer, context, context.now(), null)
  // RFC 9449 §5: such a token is bound, so an answer that names no key leaves out the one that counts.
  return claims.ok && isDpopToken(told.value) && claims.value.confirmation.jkt === null
    ? tokenInvalid('bound', 'the issuer names no key for a DPoP token')
    : claims
}

/** Token types have no case (RFC 6749 §5.1). */
const isDpopToken = ({ token_type: type }: JsonObject): boolean =>
  typeof type === 'string' && type.toLowerCase() === 'dpop'
