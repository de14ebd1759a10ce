// A JWT whose issuer is asked as well: its signature says what it was, the answer whether it still is.

import type { Result } from '../result.ts'
import { readClaims, type UnprovenClaims } from './claims.ts'
import type { AuthenticationContext } from './context.ts'
import type { Issuer } from './issuer.ts'
import { tokenInvalid, type AuthenticationRefusal } from './refusal.ts'

/**
 * INVARIANT: the answer can only narrow. It is judged like a token of its own, and where it says who
 * or what else the token is, there are two stories and neither is believed.
 */
export async function confirmedBy(
  token: string,
  claims: UnprovenClaims,
  issuer: Issuer,
  context: AuthenticationContext,
): Promise<Result<UnprovenClaims, AuthenticationRefusal>> {
  const told = await context.introspect(token, issuer)
  if (!told.ok) return told
  const answer = readClaims(told.value, issuer, context, context.now(), null)
  if (!answer.ok) return answer
  if (!isSameToken(claims, answer.value)) {
    return tokenInvalid('claim', 'the issuer describes another token')
  }
  const { scopes, authorizationDetails, expiresAt } = answer.value
  return {
    ok: true,
    value: {
      ...claims,
      scopes:
        told.value['scope'] === undefined
          ? claims.scopes
          : claims.scopes.filter((scope) => scopes.includes(scope)),
      authorizationDetails: claims.authorizationDetails ?? authorizationDetails,
      expiresAt: Math.min(claims.expiresAt, expiresAt),
    },
  }
}

/** What the answer leaves out it does not deny. */
const isSameToken = (claims: UnprovenClaims, answer: UnprovenClaims): boolean =>
  claims.subject === answer.subject &&
  claims.client === answer.client &&
  (answer.tokenId === null || answer.tokenId === claims.tokenId) &&
  (answer.agent === null || answer.agent === claims.agent) &&
  (answer.transaction === null || answer.transaction === claims.transaction) &&
  (answer.authorizationDetails === null ||
    claims.authorizationDetails === null ||
    // Two bounds that differ would have to hold both; nobody issues such tokens.
    JSON.stringify(answer.authorizationDetails) === JSON.stringify(claims.authorizationDetails)) &&
  (answer.mayAct === null || answer.mayAct === claims.mayAct) &&
  (answer.confirmation.jkt === null || answer.confirmation.jkt === claims.confirmation.jkt) &&
  (answer.confirmation.x5t === null || answer.confirmation.x5t === claims.confirmation.x5t)
