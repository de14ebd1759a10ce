// Login by OpenID Connect (Core 1.0 §3.1) with PKCE (RFC 7636): one way out, one way back.
import {
  AuthorizationResponseError,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  OperationProcessingError,
  processAuthorizationCodeResponse,
  ResponseBodyError,
  validateAuthResponse,
} from 'oauth4webapi'
import { CALLBACK_PATH, type Wanted } from '../page-addresses.ts'
import { err, ok, type Result } from '../result.ts'
import { readCookie, writeCookie } from './cookies.ts'
import { isLoginIssuer, loginPlace, requestOptions, type LoginIssuer } from './issuer.ts'
import { LOGIN_SECONDS, readPending, writePending, type PendingLogin } from './pending-login.ts'
import type { People } from './people.ts'
import type { PageRefusal } from './refusal.ts'
import { randomSecret } from './secret.ts'
import { isCurrent, isFor, isOfTenant, readSigned } from './signed.ts'
import { loginIssuers, openSite, type Site } from './site.ts'
import { mayBeHere, type Somebody } from './standing.ts'
import { isIdentifier } from '../authentication/text.ts'

export interface WayOut {
  readonly location: string
  readonly cookie: string
}

/** To the issuer's own page. `issuer` is one of those that this server's tenant names. */
export async function beginLogin(
  site: Site,
  issuerUrl: string | null,
  wanted: Wanted | null,
): Promise<Result<WayOut, PageRefusal>> {
  const offered = loginIssuers(site)
  const issuer =
    issuerUrl === null && offered.length === 1
      ? offered[0]
      : offered.find(({ url }) => url === issuerUrl)
  if (issuer === undefined) return err('login_not_offered')
  const place = await loginPlace(site.people, issuer)
  if (!place.ok) return place
  const [state, nonce, verifier] = [randomSecret(), randomSecret(), randomSecret()]
  const pending = { server: site.name, issuer: issuer.url, state, nonce, verifier }
  const startedAt = site.people.now()
  const value =
    writePending({ ...pending, startedAt, wanted }) ??
    writePending({ ...pending, startedAt, wanted: null })
  if (value === null) return err('login_not_offered')
  const location = new URL(place.value.server.authorization_endpoint)
  const parameters = {
    response_type: 'code',
    client_id: issuer.login.client,
    redirect_uri: callbackAt(site.origin),
    scope: 'openid',
    state,
    nonce,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  for (const [name, text] of Object.entries(parameters)) location.searchParams.set(name, text)
  return ok({
    location: location.href,
    cookie: writeCookie(site.request, 'login', value, LOGIN_SECONDS),
  })
}

const callbackAt = (origin: string): string => `${origin}${CALLBACK_PATH}`

export interface WayBack {
  readonly site: Site
  readonly somebody: Somebody
  readonly wanted: Wanted | null
}

export const pendingLogin = (people: People, request: Request): PendingLogin | null =>
  readPending(readCookie(request, 'login'), people.now())

/** An answer to another login, such as one that began in another tab, leaves this one as it is. */
export const answersTo = ({ state }: PendingLogin, request: Request): boolean =>
  new URL(request.url).searchParams.getAll('state').includes(state)

/**
 * INVARIANT: what comes back counts only in the browser that went out, at the server and the issuer
 * that it went out for. Nothing in the address chooses either.
 */
export async function finishLogin(
  people: People,
  request: Request,
  pending: PendingLogin,
): Promise<Result<WayBack, PageRefusal>> {
  const site = await openSite(people, request, pending.server)
  if (!site.ok) return site
  const issuer = site.value.compiled.issuers.get(pending.issuer)
  if (!isLoginIssuer(issuer)) return err('login_not_offered')
  const token = await redeem(site.value, issuer, pending)
  if (!token.ok) return token
  const somebody = await somebodyIn(people, token.value, issuer, pending.nonce)
  if (!somebody.ok) return somebody
  const standing = await mayBeHere(people, somebody.value, people.now())
  return standing.ok
    ? ok({ site: site.value, somebody: somebody.value, wanted: pending.wanted })
    : standing
}

/** The code for an ID token; the access token that comes with it is dropped. */
async function redeem(
  { people, request, origin }: Site,
  issuer: LoginIssuer,
  pending: PendingLogin,
): Promise<Result<string, PageRefusal>> {
  const { searchParams } = new URL(request.url)
  if (!searchParams.has('iss') && !(await isOnlyIssuer(people, issuer))) return err('login_invalid')
  const place = await loginPlace(people, issuer)
  if (!place.ok) return place
  const { server, authentication } = place.value
  const client = { client_id: issuer.login.client }
  let parameters: URLSearchParams
  try {
    // Checks `state`, `iss` (RFC 9207), and that nothing is there twice.
    parameters = validateAuthResponse(server, client, searchParams, pending.state)
  } catch (cause) {
    return err(
      cause instanceof AuthorizationResponseError ? 'login_cancelled' : 'login_not_started',
    )
  }
  let answer: Response
  try {
    answer = await authorizationCodeGrantRequest(
      server,
      client,
      authentication,
      parameters,
      callbackAt(origin),
      pending.verifier,
      requestOptions(people, issuer),
    )
  } catch (cause) {
    const isOurs = cause instanceof OperationProcessingError
    return err(isOurs ? 'login_not_started' : 'issuer_unavailable')
  }
  if (answer.status >= 500) return err('issuer_unavailable')
  try {
    const { id_token: token } = await processAuthorizationCodeResponse(server, client, answer, {
      expectedNonce: pending.nonce,
      requireIdToken: true,
    })
    return token === undefined ? err('login_invalid') : ok(token)
  } catch (cause) {
    return err(cause instanceof ResponseBodyError ? 'login_not_started' : 'login_invalid')
  }
}

/**
 * Where there are several, an answer that does not say whose it is could be one issuer's code shown
 * to another (RFC 9700 §4.4).
 */
async function isOnlyIssuer(people: People, issuer: LoginIssuer): Promise<boolean> {
  const others = await people.doors.policies.read((database) =>
    database
      .prepare(
        'SELECT count(*) AS n FROM issuers WHERE login_client IS NOT NULL AND active = 1 AND url <> ?1',
      )
      .bind(issuer.url)
      .first<{ n: number }>(),
  )
  return others.ok && others.value?.n === 0
}

/** Longer than any issuer lets an ID token live. */
const LONGEST_ID_TOKEN_MS = 24 * 3_600_000

/** The ID token once more, strictly and with its signature: what the library let pass is not enough. */
async function somebodyIn(
  people: People,
  token: string,
  issuer: LoginIssuer,
  nonce: string,
): Promise<Result<Somebody, PageRefusal>> {
  const signed = await readSigned(token, issuer, people.doors.keys)
  if (!signed.ok) {
    return err(signed.error === 'unavailable' ? 'issuer_unavailable' : 'login_invalid')
  }
  const { claims, keyId } = signed.value
  const { sub, aud, azp, sid } = claims
  const { client } = issuer.login
  const isRight =
    isFor(aud, client) &&
    (azp === undefined || azp === client) &&
    claims['nonce'] === nonce &&
    isCurrent(claims, LONGEST_ID_TOKEN_MS, people.now()) &&
    isOfTenant(claims, issuer) &&
    (sid === undefined || isIdentifier(sid))
  if (!isRight || !isIdentifier(sub)) return err('login_invalid')
  return ok({
    tenant: issuer.tenant,
    issuer: issuer.url,
    subject: sub,
    issuerSession: isIdentifier(sid) ? sid : null,
    keyId,
  })
}
