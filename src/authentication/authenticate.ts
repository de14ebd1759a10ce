// Door one: the credentials of a request -> who is calling. What they may do is asked elsewhere.
//
// A new way to present credentials is a row in schemes.ts; a new type of token one in token-kinds.ts.

import { err, ok, type Result } from '../result.ts'
import type { Claims } from './claims.ts'
import type { AuthenticationContext } from './context.ts'
import type { Credentials } from './credentials.ts'
import type { AuthenticationRefusal } from './refusal.ts'
import { schemeNamed, SCHEMES, type SchemeName } from './schemes.ts'

export type { AuthenticationContext } from './context.ts'
export type { Credentials } from './credentials.ts'
export { curableByRows } from './refusal.ts'

export async function authenticate(
  credentials: Credentials,
  context: AuthenticationContext,
): Promise<Result<Claims, AuthenticationRefusal>> {
  const presented = readCredentials(credentials)
  if (!presented.ok) return presented
  const { scheme, token } = presented.value
  return SCHEMES[scheme].verify(token, credentials, context)
}

export interface Presented {
  readonly scheme: SchemeName
  readonly token: string
}

/** `scheme 1*SP token68` (RFC 9110 §11.4, RFC 6750 §2.1, RFC 9449 §7.1). */
const SCHEME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/
const TOKEN = /^ +([A-Za-z0-9._~+/-]+=*)$/

/** The form alone, so that a request without a readable credential costs no more than its headers. */
export function readCredentials(
  credentials: Credentials,
): Result<Presented, AuthenticationRefusal> {
  const { authorization, tokenInQuery } = credentials
  // RFC 6750 §2: one method per request, and never the query, which ends up in logs.
  if (tokenInQuery) return malformed('a token in the query is never accepted')
  if (authorization === null) return withoutAuthorization(credentials)
  // Two headers arrive joined by a comma (RFC 9110 §5.3), and no accepted credential holds one.
  if (authorization.includes(',')) return malformed('more than one credential')
  const name = SCHEME.exec(authorization)?.[0]
  if (name === undefined) return malformed('the Authorization header has no scheme')
  const scheme = schemeNamed(name)
  if (scheme === null) return MISSING
  const token = TOKEN.exec(authorization.slice(name.length))?.[1]
  return token === undefined
    ? malformed('the Authorization header has no readable token')
    : ok({ scheme, token })
}

/** For a challenge; null: nothing readable was presented. */
export function schemeOf(credentials: Credentials): SchemeName | null {
  const presented = readCredentials(credentials)
  return presented.ok ? presented.value.scheme : null
}

function withoutAuthorization({
  dpop,
  workloadToken,
  workloadProof,
}: Credentials): Result<Presented, AuthenticationRefusal> {
  if (workloadToken === null && workloadProof === null) return MISSING
  if (workloadToken === null) return malformed('the proof of a workload came without its token')
  if (dpop !== null) return malformed('a DPoP proof came without its token')
  return ok({ scheme: 'workload', token: workloadToken })
}

const MISSING = err({ at: 'authenticate', reason: 'credentials_missing' } as const)

const malformed = (detail: string) =>
  err({ at: 'authenticate', reason: 'credentials_malformed', detail } as const)
