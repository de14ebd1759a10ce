// The issuer as a place to log in: its endpoints, and requests to them under our bounds.
import {
  allowInsecureRequests,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  discoveryRequest,
  None,
  processDiscoveryResponse,
  type AuthorizationServer,
  type ClientAuth,
  type CustomFetchOptions as CustomFetchInit,
} from 'oauth4webapi'
import type { Issuer, LoginRow } from '../authentication/issuer.ts'
import { trustedUrl } from '../authentication/url.ts'
import { readBounded } from '../bounded-body.ts'
import { err, ok, type Result } from '../result.ts'
import type { People } from './people.ts'
import type { PageRefusal } from './refusal.ts'

/** An active issuer at which people log in to our pages. */
export interface LoginIssuer extends Issuer {
  readonly login: LoginRow
}

export const isLoginIssuer = (issuer: Issuer | undefined): issuer is LoginIssuer =>
  issuer?.active === true && issuer.kind === 'oauth' && issuer.login !== null

/** Where to log in, with endpoints that may be called and shown. */
export interface LoginPlace {
  readonly server: AuthorizationServer & {
    readonly authorization_endpoint: string
    readonly token_endpoint: string
  }
  readonly authentication: ClientAuth
}

type CustomFetchOptions = CustomFetchInit<'GET' | 'POST', URLSearchParams | undefined>

const MAX_BYTES = 64 * 1024
const TIMEOUT_MS = 3_000

/**
 * Options of every request to an issuer. Redirects are left where they are: one would show a code, or
 * our secret, to another host. Plain http got here only where the configuration knows loopback.
 */
export const requestOptions = (people: People, issuer: Issuer) => ({
  signal: AbortSignal.timeout(TIMEOUT_MS),
  [allowInsecureRequests]: issuer.url.startsWith('http:'),
  [customFetch]: async (address: string, init: CustomFetchOptions): Promise<Response> => {
    const { config } = people.doors
    const url = trustedUrl(address, {
      allowLoopback: config.allowLoopback,
      ownHosts: config.hosts,
    })
    if (!url.ok) throw new TypeError(url.error)
    const { method, headers: sent, body } = init
    const answer = await people.fetch(url.value.href, {
      method,
      headers: sent,
      body: body ?? null,
      ...(init.signal === undefined ? {} : { signal: init.signal }),
      redirect: 'manual',
      cache: 'no-store',
    })
    const bytes = await readBounded(answer.body, MAX_BYTES)
    if (bytes === null) throw new TypeError('the answer is too large')
    const { status, headers } = answer
    return new Response(bytes.length === 0 ? null : bytes, { status, headers })
  },
})

/**
 * Read anew for each login: it is rare, and what was kept would have to be trusted for longer.
 *
 * INVARIANT: the keys are never taken from this document, but from the issuer's row.
 */
export async function loginPlace(
  people: People,
  issuer: LoginIssuer,
): Promise<Result<LoginPlace, PageRefusal>> {
  let server: AuthorizationServer
  try {
    const url = new URL(issuer.url)
    const answer = await discoveryRequest(url, {
      algorithm: 'oidc',
      ...requestOptions(people, issuer),
    })
    server = await processDiscoveryResponse(url, answer)
  } catch (cause) {
    return unavailable(people, issuer, cause)
  }
  const { authorization_endpoint: authorize, token_endpoint: token } = server
  const rules = {
    allowLoopback: people.doors.config.allowLoopback,
    ownHosts: people.doors.config.hosts,
  }
  if (server.issuer !== issuer.url || authorize === undefined || token === undefined) {
    return unavailable(people, issuer, 'the document lacks an endpoint or names another issuer')
  }
  if (!trustedUrl(authorize, rules).ok || !trustedUrl(token, rules).ok) {
    return unavailable(people, issuer, 'an endpoint is not one that may be called')
  }
  const authentication = authenticationAt(people, issuer, new URL(token).origin, server)
  if (authentication === null) return unavailable(people, issuer, 'the secret cannot be used')
  return ok({
    server: {
      ...server,
      authorization_endpoint: authorize,
      token_endpoint: token,
      id_token_signing_alg_values_supported: [...issuer.algorithms],
    },
    authentication,
  })
}

/** PKCE alone, or with the secret that was deployed for this tenant and this very origin. */
function authenticationAt(
  people: People,
  { tenant, login }: LoginIssuer,
  origin: string,
  server: AuthorizationServer,
): ClientAuth | null {
  if (login.secret === null) return None()
  const secret = people.secrets.read('login', login.secret, { tenant, origin })
  if (!secret.ok || secret.value.client_id !== login.client) return null
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
  return methods.includes('client_secret_basic')
    ? ClientSecretBasic(secret.value.client_secret)
    : ClientSecretPost(secret.value.client_secret)
}

/** For the operator: the kind of fault, never what the network or the issuer quoted. */
function unavailable(people: People, issuer: Issuer, cause: unknown) {
  const detail = typeof cause === 'string' ? cause : cause instanceof Error ? cause.name : 'unknown'
  people.report({ event: 'login_unavailable', issuer: issuer.url, detail })
  return err<PageRefusal>('issuer_unavailable')
}
