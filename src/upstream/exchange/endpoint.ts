// Requests to an issuer's token and revocation endpoints: oauth4webapi writes them, and our bounds hold
// around them.
import {
  allowInsecureRequests,
  ClientSecretBasic,
  customFetch,
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  type CustomFetchOptions,
} from 'oauth4webapi'
import type { Fetch } from '../../authentication/key-fetch.ts'
import { trustedUrl, type UrlRules } from '../../authentication/url.ts'
import { readBounded } from '../../bounded-body.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Secrets } from '../../secrets.ts'
import type { TokenIssuer } from '../../storage/compiled-credentials.ts'

export interface EndpointParts {
  readonly secrets: Secrets
  readonly urls: UrlRules
  readonly fetch: Fetch
  readonly now: () => number
  readonly timeoutMs?: number
}

/** From the request to the last byte of the answer. */
export const ENDPOINT_TIMEOUT_MS = 3_000
const MAX_BYTES = 64 * 1024

/** How a request is made, with everything that was checked for it. */
export interface Endpoint {
  readonly server: AuthorizationServer
  readonly client: Client
  readonly authentication: ClientAuth
  readonly options: ReturnType<typeof optionsFor>
}

/** An error is for the operator: a fixed text. */
export function endpointOf(
  issuer: TokenIssuer,
  which: 'tokenUrl' | 'revocationUrl',
  tenant: string,
  parts: EndpointParts,
  signal: AbortSignal,
): Result<Endpoint, string> {
  const address = issuer[which]
  if (address === null) return err('the issuer takes nothing back')
  // Once more, where it is called: what was compiled may have been kept for long.
  const url = trustedUrl(address, parts.urls)
  if (!url.ok) return url
  const use = { tenant, origin: url.value.origin }
  const secret = parts.secrets.read('exchange', issuer.secret, use)
  if (!secret.ok) return secret
  return ok({
    server: {
      issuer: issuer.url,
      ...(which === 'tokenUrl'
        ? { token_endpoint: url.value.href }
        : { revocation_endpoint: url.value.href }),
    },
    client: { client_id: secret.value.client_id },
    authentication: ClientSecretBasic(secret.value.client_secret),
    options: optionsFor(url.value, parts.fetch, signal),
  })
}

type CustomInit = CustomFetchOptions<'POST', URLSearchParams>

const optionsFor = (url: URL, fetch: Fetch, signal: AbortSignal) => ({
  signal,
  // Plain http got here only where the configuration knows loopback issuers (url.ts).
  [allowInsecureRequests]: url.protocol === 'http:',
  // Redirects are left where they are: one would show a token and our secret to another host.
  [customFetch]: (address: string, { method, headers, body, signal: own }: CustomInit) =>
    fetch(address, {
      method,
      headers,
      body,
      redirect: 'manual',
      cache: 'no-store',
      ...(own === undefined ? {} : { signal: own }),
    }),
})

/** The body as it came, and no larger than we read; null: larger, or it broke off. */
export async function bodyOf(response: Response): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return await readBounded(response.body, MAX_BYTES)
  } catch {
    return null
  }
}

export const mediaTypeOf = (response: Response): string =>
  (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
