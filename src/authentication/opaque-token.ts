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
  if (!isAccessToken(told.value)) {
    return tokenInvalid('type', 'the issuer says that it is no access token')
  }
  const claims = readClaims(told.value, issuer, context, context.now(), null)
  // RFC 9449 §5: such a token is bound, so an answer that names no key leaves out the one that counts.
  return claims.ok && isDpopToken(told.value) && claims.value.confirmation.jkt === null
    ? tokenInvalid('bound', 'the issuer names no key for a DPoP token')
    : claims
}

/**
 * An issuer calls its refresh tokens active as well (RFC 7662 §2.2), and what it says of them may
 * name this resource. These are the members by which issuers tell them apart: the type in the answer
 * of the token endpoint, and two that are no standard but widely sent.
 *
 * INVARIANT: absent says nothing; present, it has to be one of the words for an access token.
 */
const KIND_MEMBERS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['token_type', new Set(['bearer', 'dpop', 'access_token'])],
  ['token_use', new Set(['access', 'access_token'])],
  ['typ', new Set(['bearer', 'dpop', 'at+jwt', 'application/at+jwt', 'jwt'])],
])

const isAccessToken = (answer: JsonObject): boolean =>
  [...KIND_MEMBERS].every(([name, words]) => {
    const said = answer[name]
    return said === undefined || (typeof said === 'string' && words.has(said.toLowerCase()))
  })

/** Token types have no case (RFC 6749 §5.1). */
const isDpopToken = ({ token_type: type }: JsonObject): boolean =>
  typeof type === 'string' && type.toLowerCase() === 'dpop'
