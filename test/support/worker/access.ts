import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { beforeEach } from 'vitest'
import { Browser, places } from './pages.ts'
import { sql } from './world.ts'

/** A team of Cloudflare Access in front of the administrators' pages. */
export const TEAM = 'https://acme.cloudflareaccess.example'
export const CERTS = `${TEAM}/cdn-cgi/access/certs`
export const AUD = 'f'.repeat(64)
export const CAROL = 'carol@acme.example'
/** Where its signed document comes. */
export const HEADER = 'cf-access-jwt-assertion'

const keys = await generateKeyPair('RS256', { extractable: true })
const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'access-1', alg: 'RS256', use: 'sig' }

/** After `inThisWorld` and `withLogin`: carol is an administrator of acme. */
export function withAccess(): void {
  beforeEach(async () => {
    places.set(CERTS, () => Response.json({ keys: [jwk], public_certs: [] }))
    await sql(
      `INSERT INTO issuers (tenant, url, jwks_uri, algorithms, kind, audience, max_lifetime_s)
       VALUES ('acme', '${TEAM}', '${CERTS}', '["RS256"]', 'access', '${AUD}', 86400)`,
      appoint(CAROL),
    )
  })
}

export const appoint = (email: string): string =>
  `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
   VALUES ('acme', '${TEAM}', 'user', '${email}', 'administrator')`

/** As Cloudflare Access signs one for each request. */
export function assertion(
  claims: JWTPayload = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({
    iss: TEAM,
    aud: [AUD],
    sub: '7335d417-61da-459d-899c-0a01c76a2f94',
    email: CAROL,
    type: 'app',
    identity_nonce: 'x',
    country: 'DE',
    iat: now,
    nbf: now,
    exp: now + 3600,
    ...claims,
  })
    .setProtectedHeader({ alg: 'RS256', kid: 'access-1', typ: 'JWT', ...header })
    .sign(keys.privateKey)
}

export const administrator = async (
  claims: JWTPayload = {},
  header: Record<string, unknown> = {},
): Promise<Browser> => new Browser({ [HEADER]: await assertion(claims, header) })
