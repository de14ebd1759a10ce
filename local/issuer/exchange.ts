// A token for another one: RFC 8693, and the identity assertions of
// draft-ietf-oauth-identity-assertion-authz-grant, which this server gives and takes.

import { createLocalJWKSet, errors, jwtVerify, type JWTPayload } from 'jose'
import { DEFAULT_TENANT, isResource, UPSTREAM_SCOPES, type Client } from './clients.ts'
import { claimsOf } from './introspection.ts'
import type { Issuer } from './issuer.ts'
import { OAuthError } from './oauth-error.ts'
import { digest } from './secrets.ts'

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'
const ID_JAG_TYPE = 'oauth-id-jag+jwt'

export interface Exchanged {
  subject: string
  tenant: string
  resource: string
  scope: string
  /** Who acts for the subject now (RFC 8693 §4.1). */
  agent?: string
  issuedTokenType?: string
  /** An assertion in place of an access token: for which issuer, and of which `typ`. */
  assertion?: { audience: string; type: string }
}

export async function exchangeToken(
  issuer: Issuer,
  _: Client,
  { form }: { form: URLSearchParams },
): Promise<Exchanged> {
  if (form.get('subject_token_type') !== ACCESS_TOKEN) {
    throw new OAuthError('invalid_request', 'subject_token_type must be that of an access token')
  }
  if (form.has('actor_token')) {
    throw new OAuthError('invalid_request', 'this server knows no actors but those in the token')
  }
  const claims = await claimsOf(issuer, form.get('subject_token') ?? '')
  if (claims === null) throw new OAuthError('invalid_request', 'subject_token does not hold')
  const granted = { ...whoIn(claims), resource: resourceIn(form), scope: scopeIn(form) }
  const requested = form.get('requested_token_type') ?? ACCESS_TOKEN
  if (requested === ACCESS_TOKEN) return { ...granted, issuedTokenType: ACCESS_TOKEN }
  if (requested !== ID_JAG) throw new OAuthError('invalid_request', 'no such token is given here')
  const audience = form.get('audience') ?? ''
  if (!isResource(audience)) throw new OAuthError('invalid_target', 'audience must name an issuer')
  return {
    ...granted,
    issuedTokenType: ID_JAG,
    assertion: { audience, type: ID_JAG_TYPE },
  }
}

/** RFC 7523 §2.1: an assertion of this very server, good once. */
export async function redeemAssertion(
  issuer: Issuer,
  client: Client,
  { form }: { form: URLSearchParams },
): Promise<Exchanged> {
  const assertion = form.get('assertion') ?? ''
  const keys = createLocalJWKSet({ keys: [...(await issuer.state.publishedKeys())] })
  let claims: JWTPayload
  try {
    const expected = { issuer: issuer.issuer, audience: issuer.issuer, typ: ID_JAG_TYPE }
    claims = (await jwtVerify(assertion, keys, expected)).payload
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    throw new OAuthError('invalid_grant', 'the assertion does not hold')
  }
  const used = await digest(`${String(claims.jti)} was used`)
  if (claims['client_id'] !== client.id || (await issuer.state.isTokenRevoked(used))) {
    throw new OAuthError('invalid_grant', 'the assertion is for somebody else, or was used')
  }
  await issuer.state.revokeToken(used, null)
  const { resource, scope } = claims
  if (typeof resource !== 'string') throw new OAuthError('invalid_target', 'it names no resource')
  return { ...whoIn(claims), resource, scope: typeof scope === 'string' ? scope : '' }
}

function whoIn(claims: JWTPayload) {
  const { sub = '', act, tenant } = claims
  const agent = typeof act === 'object' && act !== null && 'sub' in act ? act.sub : undefined
  return {
    subject: sub,
    tenant: typeof tenant === 'string' ? tenant : DEFAULT_TENANT,
    ...(typeof agent === 'string' ? { agent } : {}),
  }
}

function resourceIn(form: URLSearchParams): string {
  const resource = form.get('resource') ?? ''
  if (isResource(resource)) return resource
  throw new OAuthError('invalid_target', 'resource must name the upstream as an absolute URI')
}

function scopeIn(form: URLSearchParams): string {
  const asked = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '')
  if (asked.every((scope) => UPSTREAM_SCOPES.includes(scope))) return asked.join(' ')
  throw new OAuthError('invalid_scope', 'none of these is a scope of an upstream')
}
