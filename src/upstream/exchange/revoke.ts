// To take a token back at the issuer that gave it (RFC 7009).
import { revocationRequest } from 'oauth4webapi'
import { inTime, LATE } from '../../in-time.ts'
import type { TokenIssuer } from '../../storage/compiled-credentials.ts'
import { endpointOf, ENDPOINT_TIMEOUT_MS, type EndpointParts } from './endpoint.ts'

export type Revoked =
  /** RFC 7009 §2.2: also of a token that the issuer does not know. */
  | { readonly kind: 'revoked'; readonly status: 200 }
  /** The issuer has no such endpoint. */
  | { readonly kind: 'not_offered' }
  | {
      readonly kind: 'failed'
      readonly status: number | null
      readonly detail: string
      /** How long the issuer asks to be left alone; null: it does not say. */
      readonly retryAfterMs: number | null
    }

export async function revokeToken(
  token: string,
  issuer: TokenIssuer,
  tenant: string,
  parts: EndpointParts,
): Promise<Revoked> {
  if (issuer.revocationUrl === null) return { kind: 'not_offered' }
  const abort = new AbortController()
  try {
    const endpoint = endpointOf(issuer, 'revocationUrl', tenant, parts, abort.signal)
    if (!endpoint.ok) return failed(endpoint.error)
    const { server, client, authentication, options } = endpoint.value
    const asked = revocationRequest(server, client, authentication, token, {
      ...options,
      additionalParameters: { token_type_hint: 'access_token' },
    })
    const response = await inTime(asked, parts.timeoutMs ?? ENDPOINT_TIMEOUT_MS, LATE)
    if (response === LATE) return failed('no answer in time')
    const { status } = response
    await response.body?.cancel()
    if (status === 200) return { kind: 'revoked', status }
    return failed(`the answer was status ${status}`, status, retryAfter(response))
  } catch {
    return failed('the connection failed')
  } finally {
    abort.abort()
  }
}

const failed = (
  detail: string,
  status: number | null = null,
  retryAfterMs: number | null = null,
): Revoked => ({ kind: 'failed', status, detail, retryAfterMs })

/** RFC 7009 §2.2.1, in seconds (RFC 9110 §10.2.3); a date is left to our own clock. */
function retryAfter({ headers }: Response): number | null {
  const text = headers.get('retry-after') ?? ''
  return /^\d{1,5}$/.test(text) ? Number(text) * 1000 : null
}
