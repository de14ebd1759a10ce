// The token endpoint (OAuth 2.1 §3.2): one row for each grant.

import type { Context } from 'hono'
import { issueAccessToken } from './access-tokens.ts'
import { readAuthorizationDetails } from './authorization-details.ts'
import { authenticateClient } from './client-authentication.ts'
import {
  DEFAULT_TENANT,
  DEFAULT_WORKLOAD_SCOPE,
  grantableScopes,
  isResource,
  OPENID,
  type Client,
  type GrantType,
} from './clients.ts'
import type { Grant, SecretKind } from './codes.ts'
import { proofThumbprint } from './dpop.ts'
import {
  exchangeToken,
  JWT_BEARER,
  redeemAssertion,
  TOKEN_EXCHANGE,
  type Exchanged,
} from './exchange.ts'
import { readForm } from './form.ts'
import { issuerOf, type AppEnv, type Issuer } from './issuer.ts'
import { NO_STORE, OAuthError, oauthErrorResponse } from './oauth-error.ts'
import { digest, provesPossession, randomSecret } from './secrets.ts'
import { lifetimeOf, signAccessToken, signIdToken, type TokenRequest } from './tokens.ts'

type Granted = Pick<Grant, 'subject' | 'tenant' | 'resource' | 'scope'> &
  Partial<Pick<Grant, 'login' | 'nonce' | 'authorizationDetails'>> &
  Partial<Pick<Exchanged, 'agent' | 'issuedTokenType' | 'assertion'>> & { refreshToken?: string }

interface Asked {
  form: URLSearchParams
  /** Of the key that the client proved to hold (RFC 9449 §5). */
  thumbprint: string | undefined
}

type Redeem = (issuer: Issuer, client: Client, asked: Asked) => Promise<Granted>

const GRANTS: Record<GrantType, Redeem> = {
  authorization_code: redeemCode,
  refresh_token: redeemRefreshToken,
  client_credentials: grantToWorkload,
  [TOKEN_EXCHANGE]: exchangeToken,
  [JWT_BEARER]: redeemAssertion,
}

export async function issueTokens(context: Context<AppEnv>): Promise<Response> {
  const issuer = issuerOf(context)
  try {
    const form = await readForm(context.req.raw)
    const client = await authenticateClient(issuer, context.req.header('authorization'), form)
    const type = form.get('grant_type') ?? ''
    if (!isGrantType(type)) {
      throw new OAuthError('unsupported_grant_type', 'this grant_type is not offered')
    }
    if (!client.grantTypes.includes(type)) {
      throw new OAuthError('unauthorized_client', 'the client may not use this grant_type')
    }
    const thumbprint = await proofThumbprint(context.req.header('dpop'), `${issuer.issuer}/token`)
    const asked = { form, thumbprint }
    const granted = await GRANTS[type](issuer, client, asked)
    return context.json(await tokenResponse(issuer, client, asked, granted), 200, NO_STORE)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return oauthErrorResponse(context, error)
  }
}

async function redeemCode(issuer: Issuer, client: Client, asked: Asked) {
  const { form } = asked
  const code = await findGrant(issuer, client, 'code', form.get('code'))
  // OAuth 2.1 no longer asks for redirect_uri here; a client that sends one must send the same.
  if ((form.get('redirect_uri') ?? code.grant.redirectUri) !== code.grant.redirectUri) {
    throw new OAuthError('invalid_grant', 'redirect_uri differs from the one of the code')
  }
  if (!(await provesPossession(form.get('code_verifier') ?? '', code.grant.codeChallenge))) {
    throw new OAuthError('invalid_grant', 'code_verifier does not match the code_challenge')
  }
  return grantAnew(issuer, client, code, asked, code.grant.scope)
}

async function redeemRefreshToken(issuer: Issuer, client: Client, request: Asked) {
  const { form, thumbprint } = request
  const token = await findGrant(issuer, client, 'refresh_token', form.get('refresh_token'))
  // RFC 9449 §5: the refresh token of a public client is good only with the key it was given to.
  if (token.grant.thumbprint !== undefined && token.grant.thumbprint !== thumbprint) {
    throw new OAuthError('invalid_grant', 'the refresh token is bound to another key')
  }
  // RFC 6749 §6: the scope may be narrowed, never widened; more is asked for at /authorize.
  const had = token.grant.scope.split(' ')
  const asked = grantableScopes(form.get('scope') ?? undefined, had)
  if (asked.length === 0 || !asked.every((scope) => had.includes(scope))) {
    throw new OAuthError('invalid_scope', 'the refresh token does not cover this scope')
  }
  return grantAnew(issuer, client, token, request, asked.join(' '))
}

async function grantToWorkload(_: Issuer, client: Client, { form }: Asked) {
  const resource = form.get('resource') ?? ''
  if (!isResource(resource)) {
    throw new OAuthError('invalid_target', 'resource must name the MCP server as an absolute URI')
  }
  const scopes = grantableScopes(form.get('scope') ?? undefined, [DEFAULT_WORKLOAD_SCOPE])
  if (scopes.length === 0) throw new OAuthError('invalid_scope', 'none of these scopes is known')
  // RFC 9068 §2.2: without a person the subject is the client itself.
  return {
    subject: client.id,
    tenant: DEFAULT_TENANT,
    resource,
    scope: scopes.join(' '),
    authorizationDetails: readAuthorizationDetails(form.get('authorization_details')),
  }
}

interface Found {
  digest: string
  kind: SecretKind
  grant: Grant
}

async function findGrant(
  issuer: Issuer,
  client: Client,
  kind: SecretKind,
  secret: string | null,
): Promise<Found> {
  if (secret === null) throw new OAuthError('invalid_request', `${kind} is missing`)
  const secretDigest = await digest(secret)
  const grant = await issuer.state.readGrant(secretDigest, kind)
  // One answer for unknown, used, lapsed and somebody else's.
  if (grant === null || grant.client !== client.id) {
    throw new OAuthError('invalid_grant', `this ${kind} is not valid`)
  }
  return { digest: secretDigest, kind, grant }
}

async function grantAnew(
  issuer: Issuer,
  client: Client,
  found: Found,
  { form, thumbprint }: Asked,
  scope: string,
): Promise<Granted> {
  const { resource } = found.grant
  // RFC 8707 §2.2: what is asked for here must lie within what was granted.
  if ((form.get('resource') ?? resource) !== resource) {
    throw new OAuthError('invalid_target', 'resource differs from the one that was granted')
  }
  const refreshToken = randomSecret()
  const nextDigest = await digest(refreshToken)
  const next: Grant =
    client.secret === undefined && thumbprint !== undefined
      ? { ...found.grant, thumbprint }
      : found.grant
  if (!(await issuer.state.exchangeForRefreshToken(found.digest, found.kind, nextDigest, next))) {
    throw new OAuthError('invalid_grant', `this ${found.kind} is not valid`)
  }
  const granted = { ...found.grant, scope }
  return client.grantTypes.includes('refresh_token') ? { ...granted, refreshToken } : granted
}

/** RFC 6749 §5.1. */
async function tokenResponse(issuer: Issuer, client: Client, asked: Asked, granted: Granted) {
  const { subject, tenant, resource, scope, refreshToken, login, nonce } = granted
  const { authorizationDetails, agent, issuedTokenType, assertion } = granted
  const { form, thumbprint } = asked
  const request: TokenRequest = {
    issuer: issuer.issuer,
    subject,
    client: client.id,
    resource,
    scope,
    tenant,
    login,
    thumbprint,
    authorizationDetails,
    agent,
  }
  if (assertion !== undefined) {
    const key = await issuer.state.signingKey()
    // The resource is what it is wanted for; its audience is the issuer that takes it.
    const { audience, type } = assertion
    const overrides = { resource }
    const signed = { ...request, resource: audience, type, overrides, lifetimeSeconds: 60 }
    return {
      access_token: await signAccessToken(key, signed),
      issued_token_type: issuedTokenType,
      token_type: 'N_A',
      expires_in: 60,
      scope,
    }
  }
  const format = form.get('token_format') === 'opaque' ? 'opaque' : 'jwt'
  const about = { issuer: issuer.issuer, subject, client: client.id, tenant, nonce }
  return {
    access_token: await issueAccessToken(issuer, request, format),
    token_type: thumbprint === undefined ? 'Bearer' : 'DPoP',
    expires_in: lifetimeOf(request),
    scope,
    ...(issuedTokenType === undefined ? {} : { issued_token_type: issuedTokenType }),
    ...(authorizationDetails === undefined
      ? {}
      : { authorization_details: JSON.parse(authorizationDetails) as unknown }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(login !== undefined && scope.split(' ').includes(OPENID)
      ? { id_token: await signIdToken(await issuer.state.signingKey(), { ...about, login }) }
      : {}),
  }
}

function isGrantType(type: string): type is GrantType {
  return Object.hasOwn(GRANTS, type)
}
