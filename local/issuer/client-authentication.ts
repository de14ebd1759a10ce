// How a client proves itself at the token endpoint (RFC 6749 §2.3, OAuth 2.1 §2.4).

import type { Client } from './clients.ts'
import { findClient, type Issuer } from './issuer.ts'
import { OAuthError } from './oauth-error.ts'
import { sameSecret } from './secrets.ts'

interface Credentials {
  id: string
  secret?: string | undefined
}

export async function authenticateClient(
  issuer: Issuer,
  authorization: string | undefined,
  form: URLSearchParams,
): Promise<Client> {
  const { id, secret } = readCredentials(authorization, form)
  const client = await findClient(issuer, id)
  if (client === null) throw new OAuthError('invalid_client', 'this client is not known')
  if (client.secret === undefined) {
    if (secret === undefined) return client
    throw new OAuthError('invalid_client', 'a public client has no secret')
  }
  if (secret === undefined || !(await sameSecret(secret, client.secret))) {
    throw new OAuthError('invalid_client', 'the client secret is missing or wrong')
  }
  return client
}

function readCredentials(authorization: string | undefined, form: URLSearchParams): Credentials {
  const id = form.get('client_id') ?? undefined
  const secret = form.get('client_secret') ?? undefined
  if (authorization === undefined) {
    if (id === undefined) throw new OAuthError('invalid_client', 'client_id is missing')
    return { id, secret }
  }
  const basic = parseBasic(authorization)
  if (basic === null) throw new OAuthError('invalid_client', 'only Basic is accepted here')
  // RFC 6749 §2.3: more than one method in one request must not be used.
  if (secret !== undefined) {
    throw new OAuthError('invalid_request', 'the client used two ways to authenticate')
  }
  if (id !== undefined && id !== basic.id) {
    throw new OAuthError('invalid_request', 'client_id differs from the one in the header')
  }
  return basic
}

/** RFC 6749 §2.3.1: both parts are form-encoded before they are joined. */
function parseBasic(authorization: string): Credentials | null {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization) ?? []
  try {
    const [id, secret, ...rest] = atob(encoded ?? '').split(':')
    if (!id || secret === undefined || rest.length > 0) return null
    return { id: formDecode(id), secret: formDecode(secret) }
  } catch {
    return null
  }
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
