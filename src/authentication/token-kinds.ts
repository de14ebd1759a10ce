// The types of token that may identify a caller, one row each. A new type is a row here.

import { ok, type Result } from '../result.ts'
import { verifyAccessToken } from './access-token.ts'
import type { UnprovenClaims } from './claims.ts'
import { UNBOUND } from './confirmation.ts'
import type { AuthenticationContext } from './context.ts'
import { readJws, typeOf, type Jws } from './jws.ts'
import { verifyOpaqueToken } from './opaque-token.ts'
import { tokenInvalid, type AuthenticationRefusal } from './refusal.ts'
import { workloadClaims } from './workload-claims.ts'
import { verifyJwtSvid } from './workload/jwt-svid.ts'

type TokenKind = (
  token: Jws,
  context: AuthenticationContext,
) => Promise<Result<UnprovenClaims, AuthenticationRefusal>>

/** A JWT-SVID (SPIFFE). It says nothing of what it is, so its subject has to. */
const jwtSvid: TokenKind = async (token, context) => {
  const workload = await verifyJwtSvid(token, context)
  return workload.ok
    ? ok({ ...workloadClaims(workload.value, context.tenant), confirmation: UNBOUND })
    : workload
}

/**
 * By `typ`, in lower case and without `application/`; `undefined` where there is none.
 *
 * INVARIANT: kinds exclude each other (RFC 8725 §3.11). Whatever is absent is refused, however good
 * its signature: an ID token without a type, `oauth-id-jag+jwt`, `secevent+jwt`, `logout+jwt`,
 * `dpop+jwt`, `wpt+jwt`, `wit+jwt`, `txntoken+jwt`, `statuslist+jwt`, `token-introspection+jwt`.
 */
const TOKEN_KINDS: ReadonlyMap<string | null | undefined, TokenKind> = new Map<
  string | undefined,
  TokenKind
>([
  // RFC 9068 §2.1.
  ['at+jwt', verifyAccessToken],
  // SPIFFE JWT-SVID §2.3: absent, `JWT` or `JOSE`.
  [undefined, jwtSvid],
  ['jwt', jwtSvid],
  ['jose', jwtSvid],
])

/** Whose token it is, and to which keys it is bound; nobody has shown a key yet. */
export async function verifyToken(
  text: string,
  context: AuthenticationContext,
): Promise<Result<UnprovenClaims, AuthenticationRefusal>> {
  const token = readJws(text)
  if (!token.ok) {
    const { fault, detail } = token.error
    return fault === 'not_jwt' ? verifyOpaqueToken(text, context) : tokenInvalid(fault, detail)
  }
  const kind = TOKEN_KINDS.get(typeOf(token.value))
  return kind === undefined
    ? tokenInvalid('type', '`typ` is not that of an access token')
    : kind(token.value, context)
}
