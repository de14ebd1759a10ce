// Access tokens as RFC 9068 describes them.

import { importJWK, SignJWT, type JWTPayload } from 'jose'
import type { PrivateKey } from './config.ts'

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
  lifetimeSeconds?: number | undefined
  /** For `/mint` only: another `typ`, to see it refused. */
  type?: string | undefined
  /** For `/mint` only: claims that replace ours; `null` takes one away. */
  overrides?: Record<string, unknown> | undefined
}

export interface IssuedToken {
  token: string
  expiresIn: number
}

export async function signAccessToken(
  key: PrivateKey,
  request: TokenRequest,
): Promise<IssuedToken> {
  const expiresIn = request.lifetimeSeconds ?? DEFAULT_LIFETIME_S
  const token = await new SignJWT(claimsOf(request, Math.floor(Date.now() / 1000), expiresIn))
    .setProtectedHeader({ alg: 'ES256', typ: request.type ?? 'at+jwt', kid: key.kid })
    .sign(await importJWK(key, 'ES256'))
  return { token, expiresIn }
}

/** RFC 9068 §2.2. */
function claimsOf(request: TokenRequest, now: number, lifetime: number): JWTPayload {
  const claims: Record<string, unknown> = {
    iss: request.issuer,
    sub: request.subject,
    aud: request.resource,
    client_id: request.client,
    iat: now,
    exp: now + lifetime,
    jti: crypto.randomUUID(),
    scope: request.scope,
    tenant: request.tenant,
    ...(request.agent === undefined ? {} : { act: { sub: request.agent } }),
    ...(request.task === undefined ? {} : { task: request.task }),
    ...request.overrides,
  }
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null))
}
