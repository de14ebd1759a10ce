// The question itself: oauth4webapi writes it, and our bounds hold around it.

import {
  allowInsecureRequests,
  ClientSecretBasic,
  customFetch,
  introspectionRequest,
  type AuthorizationServer,
} from 'oauth4webapi'
import { readBounded } from '../../bounded-body.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Issuer } from '../issuer.ts'
import type { Fetch } from '../key-fetch.ts'

const MAX_BYTES = 64 * 1024

export interface Question {
  readonly url: URL
  readonly issuer: Issuer
  readonly clientId: string
  readonly clientSecret: string
  readonly token: string
}

/** The answer as it came, and no larger than we read. */
export interface Answer {
  readonly contentType: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The issuer as oauth4webapi knows one: from its row, never from a document that it serves. */
export const serverOf = ({ issuer, url }: Question): AuthorizationServer => ({
  issuer: issuer.url,
  introspection_endpoint: url.href,
  introspection_signing_alg_values_supported: [...issuer.algorithms],
})

/** An error is for the operator: a fixed text. */
export async function requestAnswer(
  question: Question,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Result<Answer, string>> {
  const { url, clientId, clientSecret, token } = question
  let response: Response
  try {
    response = await introspectionRequest(
      serverOf(question),
      { client_id: clientId },
      ClientSecretBasic(clientSecret),
      token,
      {
        additionalParameters: { token_type_hint: 'access_token' },
        signal,
        // Redirects are left where they are: one would show the token and our secret to another host.
        [customFetch]: (address, init) =>
          fetch(address, { ...init, redirect: 'manual', cache: 'no-store' }),
        // Plain http got here only where the configuration knows loopback issuers (url.ts).
        [allowInsecureRequests]: url.protocol === 'http:',
      },
    )
  } catch {
    // What the network says about its failures may quote the address and more: not kept.
    return err('the connection failed')
  }
  if (response.status !== 200) {
    await response.body?.cancel()
    // 401 among them: it is our secret that was refused, not the caller's token.
    return err(`the answer was status ${response.status}`)
  }
  return readBody(response)
}

async function readBody(response: Response): Promise<Result<Answer, string>> {
  try {
    const bytes = await readBounded(response.body, MAX_BYTES)
    if (bytes === null) return err('the answer was larger than 64 KiB')
    return ok({ contentType: mediaType(response.headers.get('content-type')), bytes })
  } catch {
    return err('the connection failed')
  }
}

const mediaType = (header: string | null): string =>
  (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
