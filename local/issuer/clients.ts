// Pure: who may ask for tokens, and for whom.

export type GrantType =
  | 'authorization_code'
  | 'refresh_token'
  | 'client_credentials'
  | 'urn:ietf:params:oauth:grant-type:token-exchange'
  | 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export interface Client {
  id: string
  name: string
  /** Absent: a public client, which proves itself by PKCE alone. */
  secret?: string
  grantTypes: readonly GrantType[]
  redirectUris: readonly string[]
}

export interface Person {
  id: string
  name: string
}

export const PEOPLE: readonly Person[] = [
  { id: 'alice', name: 'Alice (sales)' },
  { id: 'bob', name: 'Bob (support)' },
  { id: 'carol', name: 'Carol (administrator)' },
]

/** Everybody in the demo belongs to it; `/mint` can name another. */
export const DEFAULT_TENANT = 'acme'

export const SCOPES: readonly string[] = ['demo:use', 'demo:write', 'demo:export']
/** Asks for an ID token: who logged in, in place of what may be done (OpenID Connect Core §3.1.2.1). */
export const OPENID = 'openid'
/** Of servers behind Sallyport: nobody but Sallyport asks for them. */
export const UPSTREAM_SCOPES: readonly string[] = ['archive:use']
export const DEFAULT_WORKLOAD_SCOPE = 'demo:use'

const LOOPBACK_CALLBACKS = ['http://127.0.0.1/callback', 'http://localhost/callback']

// These secrets are public and protect nothing but the demo.
export const REGISTERED_CLIENTS: readonly Client[] = [
  {
    id: 'acme-agent',
    name: 'Acme Sales Agent',
    secret: 'acme-agent-demo-secret',
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirectUris: LOOPBACK_CALLBACKS,
  },
  {
    id: 'other-agent',
    name: 'Other Agent',
    secret: 'other-agent-demo-secret',
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirectUris: LOOPBACK_CALLBACKS,
  },
  {
    id: 'inspector',
    name: 'MCP Inspector',
    grantTypes: ['authorization_code', 'refresh_token'],
    redirectUris: [
      ...LOOPBACK_CALLBACKS,
      'http://127.0.0.1/oauth/callback',
      'http://localhost/oauth/callback',
      'http://127.0.0.1/oauth/callback/debug',
      'http://localhost/oauth/callback/debug',
    ],
  },
  {
    id: 'sallyport-pages',
    name: 'Sallyport, for people',
    grantTypes: ['authorization_code'],
    redirectUris: ['http://127.0.0.1/login/callback', 'http://localhost/login/callback'],
  },
]

/** Who asks about tokens in place of asking for them. */
const RESOURCE_SERVERS: readonly Client[] = [
  {
    id: 'sallyport',
    name: 'Sallyport, about tokens that it was shown, and in exchange for them',
    secret: 'sallyport-demo-secret',
    grantTypes: [
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
    ],
    redirectUris: [],
  },
  {
    id: 'archive',
    name: 'An upstream, about tokens that it was shown',
    secret: 'archive-demo-secret',
    grantTypes: [],
    redirectUris: [],
  },
]

export const KNOWN_CLIENTS: readonly Client[] = [...REGISTERED_CLIENTS, ...RESOURCE_SERVERS]

/** Byte-equal, except for the port of a loopback address, which the client cannot know beforehand. */
export function acceptsRedirectUri(client: Client, requested: string): boolean {
  return client.redirectUris.some(
    (registered) => registered === requested || equalButForLoopbackPort(registered, requested),
  )
}

/** RFC 8252 §7.3: any port must be accepted on a loopback redirect, everything else must be equal. */
function equalButForLoopbackPort(registered: string, requested: string): boolean {
  if (!isLoopback(registered) || !isLoopback(requested)) return false
  return withoutPort(registered) === withoutPort(requested)
}

/** RFC 8252 §7: loopback over http, https, or a private-use scheme, which has a dot (§7.1). */
export function isRegistrableRedirectUri(uri: string): boolean {
  if (!URL.canParse(uri) || uri.includes('#')) return false
  const { protocol, username, password } = new URL(uri)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || isLoopback(uri) || protocol.includes('.')
}

// Read from the text and not from a parsed URL, which would make unequal spellings equal.
const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d{1,5})?(?=[/?]|$)/

function isLoopback(uri: string): boolean {
  return LOOPBACK.test(uri)
}

function withoutPort(loopbackUri: string): string {
  return loopbackUri.replace(LOOPBACK, (origin) => origin.replace(/:\d+$/, ''))
}

/** RFC 6749 §3.3: what is not known is left out, and the answer says what was granted. */
export function grantableScopes(asked: string | undefined, fallback: readonly string[]): string[] {
  const names = (asked ?? '').split(' ').filter((name) => name !== '')
  if (names.length === 0) return [...fallback]
  return [OPENID, ...SCOPES].filter((scope) => names.includes(scope))
}

/** RFC 8707 §2: an absolute URI without a fragment. */
export function isResource(uri: string): boolean {
  return URL.canParse(uri) && !uri.includes('#')
}
