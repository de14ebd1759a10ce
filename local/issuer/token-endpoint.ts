// The token endpoint (OAuth 2.1 §3.2): three grants, one row each.

import type { Context } from 'hono'
import { authenticateClient } from './client-authentication.ts'
import {
  DEFAULT_TENANT,
  DEFAULT_WORKLOAD_SCOPE,
  grantableScopes,
  isResource,
  type Client,
  type GrantType,
} from './clients.ts'
import type { Grant, SecretKind } from './codes.ts'
import { issuerOf, type AppEnv, type Issuer } from './issuer.ts'
import { OAuthError } from './oauth-error.ts'
import { digest, provesPossession, randomSecret } from './secrets.ts'
import { signAccessToken } from './tokens.ts'

interface Granted {
  subject: string
  tenant: string
  resource: string
  scope: string
  refreshToken?: string
}

type Redeem = (issuer: Issuer, client: Client, form: URLSearchParams) => Promise<Granted>

const GRANTS: Record<GrantType, Redeem> = {
  authorization_code: redeemCode,
  refresh_token: redeemRefreshToken,
  client_credentials: grantToWorkload,
}

export async function issueTokens(context: Context<AppEnv>): Promise<Response> {
  const issuer = issuerOf(context)
  const authorization = context.req.header('authorization')
  try {
    const form = await readForm(context.req.raw)
    const client = await authenticateClient(issuer, authorization, form)
    const type = form.get('grant_type') ?? ''
    if (!isGrantType(type)) {
      throw new OAuthError('unsupported_grant_type', 'this grant_type is not offered')
    }
    if (!client.grantTypes.includes(type)) {
      throw new OAuthError('unauthorized_client', 'the client may not use this grant_type')
    }
    const granted = await GRANTS[type](issuer, client, form)
    return context.json(await tokenResponse(issuer, client, granted), 200, NO_STORE)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    // RFC 6749 §5.2.
    if (error.code !== 'invalid_client') return context.json(error.body, 400, NO_STORE)
    if (authorization !== undefined) context.header('www-authenticate', 'Basic realm="token"')
    return context.json(error.body, 401, NO_STORE)
  }
}

async function redeemCode(issuer: Issuer, client: Client, form: URLSearchParams) {
  const code = await findGrant(issuer, client, 'code', form.get('code'))
  // OAuth 2.1 no longer asks for redirect_uri here; a client that sends one must send the same.
  if ((form.get('redirect_uri') ?? code.grant.redirectUri) !== code.grant.redirectUri) {
    throw new OAuthError('invalid_grant', 'redirect_uri differs from the one of the code')
  }
  if (!(await provesPossession(form.get('code_verifier') ?? '', code.grant.codeChallenge))) {
    throw new OAuthError('invalid_grant', 'code_verifier does not match the code_challenge')
  }
  return grantAnew(issuer, code, form, code.grant.scope)
}

async function redeemRefreshToken(issuer: Issuer, client: Client, form: URLSearchParams) {
  const token = await findGrant(issuer, client, 'refresh_token', form.get('refresh_token'))
  // RFC 6749 §6: the scope may be narrowed, never widened; more is asked for at /authorize.
  const had = token.grant.scope.split(' ')
  const asked = grantableScopes(form.get('scope') ?? undefined, had)
  if (asked.length === 0 || !asked.every((scope) => had.includes(scope))) {
    throw new OAuthError('invalid_scope', 'the refresh token does not cover this scope')
  }
  return grantAnew(issuer, token, form, asked.join(' '))
}

async function grantToWorkload(_: Issuer, client: Client, form: URLSearchParams) {
  const resource = form.get('resource') ?? ''
  if (!isResource(resource)) {
    throw new OAuthError('invalid_target', 'resource must name the MCP server as an absolute URI')
  }
  const scopes = grantableScopes(form.get('scope') ?? undefined, [DEFAULT_WORKLOAD_SCOPE])
  if (scopes.length === 0) throw new OAuthError('invalid_scope', 'none of these scopes is known')
  // RFC 9068 §2.2: without a person the subject is the client itself.
  return { subject: client.id, tenant: DEFAULT_TENANT, resource, scope: scopes.join(' ') }
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
  found: Found,
  form: URLSearchParams,
  scope: string,
): Promise<Granted> {
  const { subject, tenant, resource } = found.grant
  // RFC 8707 §2.2: what is asked for here must lie within what was granted.
  if ((form.get('resource') ?? resource) !== resource) {
    throw new OAuthError('invalid_target', 'resource differs from the one that was granted')
  }
  const refreshToken = randomSecret()
  const nextDigest = await digest(refreshToken)
  if (!(await issuer.state.exchangeForRefreshToken(found.digest, found.kind, nextDigest))) {
    throw new OAuthError('invalid_grant', `this ${found.kind} is not valid`)
  }
  return { subject, tenant, resource, scope, refreshToken }
}

/** RFC 6749 §5.1. */
async function tokenResponse(issuer: Issuer, client: Client, granted: Granted) {
  const { subject, tenant, resource, scope, refreshToken } = granted
  const { token, expiresIn } = await signAccessToken(await issuer.state.signingKey(), {
    issuer: issuer.issuer,
    subject,
    client: client.id,
    resource,
    scope,
    tenant,
  })
  return {
    access_token: token,
    token_type: 'Bearer',
    expires_in: expiresIn,
    scope,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
  }
}

const NO_STORE = { 'cache-control': 'no-store' }

async function readForm(request: Request): Promise<URLSearchParams> {
  const form = new URLSearchParams(await request.text())
  if (new Set(form.keys()).size !== form.size) {
    throw new OAuthError('invalid_request', 'a parameter was sent twice')
  }
  return form
}

function isGrantType(type: string): type is GrantType {
  return Object.hasOwn(GRANTS, type)
}
