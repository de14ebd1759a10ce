// Door one: an Authorization header -> who is calling. What they may do is asked elsewhere.

import { err, ok, type Result } from '../result.ts'
import { verifyAccessToken } from './access-token.ts'
import type { Claims } from './claims.ts'
import type { AuthenticationContext } from './context.ts'
import { tokenInvalid, type AuthenticationRefusal } from './refusal.ts'

export type { AuthenticationContext } from './context.ts'
export { curableByRows } from './refusal.ts'

/** Whatever in a request claims to be a credential. */
export interface Credentials {
  readonly authorization: string | null
  /** A DPoP header was present. */
  readonly dpop: boolean
  readonly tokenInQuery: boolean
}

type Scheme = (
  token: string,
  credentials: Credentials,
  context: AuthenticationContext,
) => Promise<Result<Claims, AuthenticationRefusal>>

/** One row per Authorization scheme, in lower case; absent = not an accepted credential. */
const SCHEMES: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  [
    'bearer',
    async (token, credentials, context) =>
      // Ignoring the proof would turn a token that its client meant to bind into a plain one.
      credentials.dpop
        ? tokenInvalid('bound', 'a proof of possession came with a bearer token')
        : verifyAccessToken(token, context),
  ],
  [
    'dpop',
    async () => tokenInvalid('bound', 'tokens with a proof of possession are not accepted yet'),
  ],
])

/** `scheme 1*SP token68` (RFC 9110 §11.4, RFC 6750 §2.1); the scheme's case does not matter. */
const SCHEME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/
const TOKEN = /^ +([A-Za-z0-9._~+/-]+=*)$/

export async function authenticate(
  credentials: Credentials,
  context: AuthenticationContext,
): Promise<Result<Claims, AuthenticationRefusal>> {
  const presented = readCredentials(credentials)
  return presented.ok
    ? presented.value.scheme(presented.value.token, credentials, context)
    : presented
}

interface Presented {
  readonly scheme: Scheme
  readonly token: string
}

/** The form alone, so that a request without a readable credential costs no more than its headers. */
export function readCredentials(
  credentials: Credentials,
): Result<Presented, AuthenticationRefusal> {
  const { authorization, tokenInQuery } = credentials
  // RFC 6750 §2: one method per request, and never the query, which ends up in logs.
  if (tokenInQuery) return malformed('a token in the query is never accepted')
  if (authorization === null) return MISSING
  // Two headers arrive joined by a comma (RFC 9110 §5.3), and no accepted credential holds one.
  if (authorization.includes(',')) return malformed('more than one credential')
  const name = SCHEME.exec(authorization)?.[0]
  if (name === undefined) return malformed('the Authorization header has no scheme')
  const scheme = SCHEMES.get(name.toLowerCase())
  if (scheme === undefined) return MISSING
  const token = TOKEN.exec(authorization.slice(name.length))?.[1]
  return token === undefined
    ? malformed('the Authorization header has no readable token')
    : ok({ scheme, token })
}

const MISSING = err({ at: 'authenticate', reason: 'credentials_missing' } as const)

const malformed = (detail: string) =>
  err({ at: 'authenticate', reason: 'credentials_malformed', detail } as const)
