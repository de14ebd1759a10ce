import { exports } from 'cloudflare:workers'
import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { createVerifier, type VerifierOptions } from '../../../examples/verifier/verifier.ts'
import { sha256 } from '../../../src/sha256.ts'
import { claimsIn } from './exchange.ts'
import { ORIGIN, seen, sql, UPSTREAM } from './world.ts'

export const PASSWORD = 'a password that nobody guesses, 32 bytes of it'

export const digestOfPassword = (): Promise<string> => sha256(PASSWORD)

/** Calls to `crm` carry tokens of our own, and it may ask whether they hold. */
export async function signsForCrm(): Promise<void> {
  await sql(
    `UPDATE servers SET credential = 'signed', introspection_digest = '${await digestOfPassword()}' WHERE name = 'crm'`,
  )
}

/** What the upstream was shown last. */
export function lastShown(): string {
  const header = seen.at(-1)?.headers.get('authorization') ?? ''
  return header.replace(/^Bearer /, '')
}

export const lastClaims = (): Record<string, unknown> => claimsIn(lastShown())

export const request = (path: string, init: RequestInit = {}): Promise<Response> =>
  exports.default.fetch(new Request(`${ORIGIN}${path}`, { redirect: 'manual', ...init }))

export const jwks = async (): Promise<JSONWebKeySet> =>
  (await (await request('/.well-known/jwks.json')).json()) as JSONWebKeySet

/** What a server of Sallyport's would do with it. */
export async function verifierOf(options: Partial<VerifierOptions> = {}) {
  return createVerifier({
    issuer: ORIGIN,
    audience: UPSTREAM,
    keys: createLocalJWKSet(await jwks()),
    ...options,
  })
}

export interface AskOptions {
  readonly name?: string
  readonly password?: string
  readonly headers?: Record<string, string>
  readonly method?: string
  readonly body?: string
}

export function introspect(token: string, options: AskOptions = {}): Promise<Response> {
  const { name = 'crm', password = PASSWORD, method = 'POST' } = options
  return request('/introspect', {
    method,
    headers: {
      authorization: `Basic ${btoa(`${encodeURIComponent(name)}:${encodeURIComponent(password)}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
      ...options.headers,
    },
    ...(method === 'GET'
      ? {}
      : { body: options.body ?? new URLSearchParams({ token }).toString() }),
  })
}

export const isActive = async (token: string, options: AskOptions = {}): Promise<unknown> =>
  ((await (await introspect(token, options)).json()) as { active?: unknown }).active
