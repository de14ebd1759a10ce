// The authorization endpoint (OAuth 2.1 §4.1, RFC 7636, RFC 8707, RFC 9207).

import type { Context } from 'hono'
import { z } from 'zod'
import { readAuthorizationDetails } from './authorization-details.ts'
import {
  acceptsRedirectUri,
  DEFAULT_TENANT,
  grantableScopes,
  isResource,
  OPENID,
  PEOPLE,
  SCOPES,
  type Client,
} from './clients.ts'
import { findClient, issuerOf, type AppEnv, type Issuer } from './issuer.ts'
import { loginBefore, loginNow, type Login } from './login.ts'
import { OAuthError } from './oauth-error.ts'
import { consentPage, contentSecurityPolicy, errorPage } from './page.ts'
import { digest, randomSecret } from './secrets.ts'

/** What is read of a request; anything else is ignored (RFC 6749 §3.1). */
const parameters = z.object({
  client_id: z.string(),
  redirect_uri: z.string(),
  response_type: z.string().optional(),
  code_challenge: z.string().optional(),
  code_challenge_method: z.string().optional(),
  resource: z.string().optional(),
  scope: z.string().optional(),
  state: z.string().optional(),
  nonce: z.string().optional(),
  acr_values: z.string().optional(),
  max_age: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional(),
  authorization_details: z.string().optional(),
})
type Parameters = z.infer<typeof parameters>

/** A request from a known client that wants its answer at a place registered for it. */
interface Addressed {
  client: Client
  parameters: Parameters
}

interface Ask {
  codeChallenge: string
  resource: string
  scopes: string[]
  authorizationDetails: string | undefined
}

export async function showConsent(context: Context<AppEnv>): Promise<Response> {
  const issuer = issuerOf(context)
  const fields = singleValues(new URL(context.req.url).searchParams)
  if (fields === null) return showError(context, SENT_TWICE)
  const request = await readAddress(issuer, fields)
  if (typeof request === 'string') return showError(context, request)

  return answerAtClient(issuer, request, async (ask) => {
    const { client, parameters } = request
    if (fields['prompt'] === 'none') {
      const login = loginBefore(parameters.max_age, parameters.acr_values)
      return issueCode(issuer, request, ask, fields['login_hint'], login)
    }
    const page = consentPage({
      clientId: client.id,
      clientName: client.name,
      redirectUri: parameters.redirect_uri,
      resource: ask.resource,
      scopes: ask.scopes,
      parameters: definedOnly(parameters),
    })
    return context.html(page, 200, pageHeaders(parameters.redirect_uri))
  })
}

export async function acceptConsent(context: Context<AppEnv>): Promise<Response> {
  const issuer = issuerOf(context)
  // A page of another site must not choose for the person. Clients without a browser send no Origin.
  const origin = context.req.header('origin')
  if (origin !== undefined && origin !== issuer.issuer) {
    return showError(context, 'This form was sent from another site.')
  }
  const fields = singleValues(new URLSearchParams(await context.req.text()))
  if (fields === null) return showError(context, SENT_TWICE)
  const request = await readAddress(issuer, fields)
  if (typeof request === 'string') return showError(context, request)

  return answerAtClient(issuer, request, async (ask) => {
    if (fields['decision'] === 'deny') {
      throw new OAuthError('access_denied', 'the person refused')
    }
    const login = loginNow(request.parameters.acr_values)
    return issueCode(issuer, request, ask, fields['user'], login)
  })
}

/** Client and redirect URI come first: until both hold, nothing may be redirected (RFC 9700 §4.11). */
async function readAddress(issuer: Issuer, fields: Fields): Promise<Addressed | string> {
  const parsed = parameters.safeParse(fields)
  if (!parsed.success) return 'client_id and redirect_uri are required.'
  const client = await findClient(issuer, parsed.data.client_id)
  if (client === null) return 'No client is registered under this client_id.'
  if (!acceptsRedirectUri(client, parsed.data.redirect_uri)) {
    return 'This redirect_uri is not registered for the client.'
  }
  return { client, parameters: parsed.data }
}

/** From here on errors are told to the client, by redirect. */
async function answerAtClient(
  issuer: Issuer,
  request: Addressed,
  answer: (ask: Ask) => Promise<Response>,
): Promise<Response> {
  try {
    return await answer(readAsk(issuer, request))
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return redirectToClient(issuer, request.parameters, error.body)
  }
}

function readAsk({ issuer }: Issuer, { client, parameters }: Addressed): Ask {
  const { response_type, code_challenge, code_challenge_method, scope } = parameters
  if (!client.grantTypes.includes('authorization_code')) {
    throw new OAuthError('unauthorized_client', 'the client may not use this flow')
  }
  if (response_type !== 'code') {
    throw new OAuthError('unsupported_response_type', 'response_type must be `code`')
  }
  // RFC 7636 §4.2: the digest of SHA-256 in base64url is 43 characters. `plain` is not offered.
  if (code_challenge_method !== 'S256' || !/^[\w-]{43}$/.test(code_challenge ?? '')) {
    throw new OAuthError('invalid_request', 'a code_challenge with method S256 is required')
  }
  const scopes = grantableScopes(scope, SCOPES)
  // Who only asks who somebody is needs no token for any server: it is for this one.
  const resource = parameters.resource ?? (scopes.includes(OPENID) ? issuer : undefined)
  // Without it the token would be good for nobody or for everybody; MCP clients must send it.
  if (resource === undefined || !isResource(resource)) {
    throw new OAuthError('invalid_target', 'resource must name the MCP server as an absolute URI')
  }
  if (scopes.length === 0) throw new OAuthError('invalid_scope', 'none of these scopes is known')
  return {
    codeChallenge: code_challenge ?? '',
    resource,
    scopes,
    authorizationDetails: readAuthorizationDetails(parameters.authorization_details),
  }
}

async function issueCode(
  issuer: Issuer,
  { client, parameters }: Addressed,
  ask: Ask,
  user: string | undefined,
  login: Login,
): Promise<Response> {
  if (user === undefined || !PEOPLE.some(({ id }) => id === user)) {
    throw new OAuthError('login_required', 'nobody of that name is known here')
  }
  const code = randomSecret()
  await issuer.state.issueCode(await digest(code), {
    subject: user,
    client: client.id,
    tenant: DEFAULT_TENANT,
    scope: ask.scopes.join(' '),
    resource: ask.resource,
    redirectUri: parameters.redirect_uri,
    codeChallenge: ask.codeChallenge,
    authorizationDetails: ask.authorizationDetails,
    nonce: parameters.nonce,
    login,
  })
  return redirectToClient(issuer, parameters, { code })
}

function redirectToClient(
  issuer: Issuer,
  { redirect_uri, state }: Parameters,
  answer: Record<string, string>,
): Response {
  const target = new URL(redirect_uri)
  // RFC 9207 §2: errors carry `iss` as well.
  const members = { ...answer, ...(state === undefined ? {} : { state }), iss: issuer.issuer }
  for (const [name, value] of Object.entries(members)) target.searchParams.set(name, value)
  // 303: the browser follows a post with a GET and repeats nothing (RFC 9700 §4.12).
  return new Response(null, {
    status: 303,
    headers: { location: target.href, 'cache-control': 'no-store' },
  })
}

function showError(context: Context<AppEnv>, message: string) {
  return context.html(errorPage(message), 400, pageHeaders())
}

function pageHeaders(redirectUri?: string): Record<string, string> {
  return {
    'content-security-policy': contentSecurityPolicy(redirectUri),
    'cache-control': 'no-store',
    // `no-referrer` would make browsers post the form with `Origin: null`.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  }
}

const SENT_TWICE = 'A parameter was sent twice.'

type Fields = Record<string, string>

/** RFC 6749 §3.1: a parameter sent twice makes the request invalid, and an empty one counts as absent. */
function singleValues(sent: URLSearchParams): Fields | null {
  const fields: Fields = {}
  for (const [name, value] of sent) {
    if (name in fields) return null
    if (value !== '') fields[name] = value
  }
  return fields
}

function definedOnly(parameters: Parameters): Fields {
  return Object.fromEntries(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
