// What a token means, for those who may ask (RFC 7662), and taking one back (RFC 7009).

import type { Context } from 'hono'
import { createLocalJWKSet, errors, jwtVerify, type JWTPayload } from 'jose'
import { authenticateClient } from './client-authentication.ts'
import { readForm } from './form.ts'
import { issuerOf, type AppEnv, type Issuer } from './issuer.ts'
import { NO_STORE, OAuthError, oauthErrorResponse } from './oauth-error.ts'
import { digest } from './secrets.ts'

export async function introspect(context: Context<AppEnv>): Promise<Response> {
  return withToken(context, async (issuer, token) => {
    const claims = await claimsOf(issuer, token)
    // RFC 7662 §2.2: of a token that does not hold nothing else is said.
    return context.json(
      claims === null ? { active: false } : { active: true, ...claims },
      200,
      NO_STORE,
    )
  })
}

/** RFC 7009 §2.2: a token that nobody knows is as good as revoked. */
export async function revoke(context: Context<AppEnv>): Promise<Response> {
  return withToken(context, async (issuer, token) => {
    const claims = await claimsOf(issuer, token)
    await issuer.state.revokeToken(
      await digest(token),
      claims === null ? '{}' : JSON.stringify(claims),
    )
    return context.body(null, 200, NO_STORE)
  })
}

/** Only clients with a secret may ask: else anybody could try tokens out (RFC 7662 §2.1). */
async function withToken(
  context: Context<AppEnv>,
  answer: (issuer: Issuer, token: string) => Promise<Response>,
): Promise<Response> {
  const issuer = issuerOf(context)
  const authorization = context.req.header('authorization')
  try {
    const form = await readForm(context.req.raw)
    const client = await authenticateClient(issuer, authorization, form)
    if (client.secret === undefined) {
      throw new OAuthError('invalid_client', 'a public client may not ask')
    }
    const token = form.get('token')
    if (token === null) throw new OAuthError('invalid_request', 'token is missing')
    return await answer(issuer, token)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return oauthErrorResponse(context, error)
  }
}

/** null: unknown, revoked or lapsed. */
export async function claimsOf(issuer: Issuer, token: string): Promise<JWTPayload | null> {
  const tokenDigest = await digest(token)
  if (await issuer.state.isTokenRevoked(tokenDigest)) return null
  const kept = await issuer.state.opaqueToken(tokenDigest)
  const claims = kept === null ? await readJwt(issuer, token) : (JSON.parse(kept) as JWTPayload)
  return claims !== null && Number(claims.exp) > Date.now() / 1000 ? claims : null
}

async function readJwt({ issuer, state }: Issuer, token: string): Promise<JWTPayload | null> {
  try {
    const keys = createLocalJWKSet({ keys: [...(await state.publishedKeys())] })
    return (await jwtVerify(token, keys, { issuer, typ: 'at+jwt' })).payload
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}
