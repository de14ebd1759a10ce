// Access tokens as RFC 9068 describes them, and ID tokens.

import { importJWK, SignJWT, type JWTPayload } from 'jose'
import { PEOPLE } from './clients.ts'
import type { PrivateKey } from './config.ts'
import type { Login } from './login.ts'

const DEFAULT_LIFETIME_S = 300

export interface TokenRequest {
  issuer: string
  subject: string
  client: string
  resource: string | readonly string[]
  scope: string
  tenant: string
  /** The workload that acts for the subject (RFC 8693 §4.1). */
  agent?: string | undefined
  task?: string | undefined
  /** Of the person; a workload has none. */
  login?: Login | undefined
  /** The key that the token is bound to (RFC 9449 §6.1). */
  thumbprint?: string | undefined
  /** JSON text (RFC 9396 §9.1). */
  authorizationDetails?: string | undefined
  lifetimeSeconds?: number | undefined
  /** For `/mint` only: another `typ`, to see it refused. */
  type?: string | undefined
  /** For `/mint` only: claims that replace ours; `null` takes one away. */
  overrides?: Record<string, unknown> | undefined
}

export async function signAccessToken(key: PrivateKey, request: TokenRequest): Promise<string> {
  return new SignJWT(accessTokenClaims(request))
    .setProtectedHeader({ alg: 'ES256', typ: request.type ?? 'at+jwt', kid: key.kid })
    .sign(await importJWK(key, 'ES256'))
}

export const lifetimeOf = ({ lifetimeSeconds }: TokenRequest): number =>
  lifetimeSeconds ?? DEFAULT_LIFETIME_S

/** RFC 9068 §2.2. */
export function accessTokenClaims(request: TokenRequest): JWTPayload {
  const now = Math.floor(Date.now() / 1000)
  const { login, thumbprint, authorizationDetails } = request
  const claims: Record<string, unknown> = {
    iss: request.issuer,
    sub: request.subject,
    aud: request.resource,
    client_id: request.client,
    iat: now,
    exp: now + lifetimeOf(request),
    jti: crypto.randomUUID(),
    scope: request.scope,
    tenant: request.tenant,
    ...(request.agent === undefined ? {} : { act: { sub: request.agent } }),
    // The task that the token is for, or the transaction (RFC 8417 §2.2).
    ...(request.task === undefined ? {} : { txn: request.task }),
    ...(login === undefined ? {} : { auth_time: login.authTime, acr: login.acr, sid: login.sid }),
    ...(thumbprint === undefined ? {} : { cnf: { jkt: thumbprint } }),
    ...(authorizationDetails === undefined
      ? {}
      : { authorization_details: JSON.parse(authorizationDetails) as unknown }),
    ...request.overrides,
  }
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null))
}

/** OpenID Connect Core §2: who logged in, for the client and for nothing else. */
export async function signIdToken(
  key: PrivateKey,
  { issuer, subject, client, tenant, login, nonce }: IdTokenRequest,
): Promise<string> {
  const name = PEOPLE.find(({ id }) => id === subject)?.name
  return new SignJWT({
    ...(nonce === undefined ? {} : { nonce }),
    ...(name === undefined ? {} : { name }),
    tenant,
    auth_time: login.authTime,
    acr: login.acr,
    sid: login.sid,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: key.kid })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(client)
    .setIssuedAt()
    .setExpirationTime(`${DEFAULT_LIFETIME_S}s`)
    .sign(await importJWK(key, 'ES256'))
}

interface IdTokenRequest {
  issuer: string
  subject: string
  client: string
  tenant: string
  login: Login
  nonce: string | undefined
}
