import {
  auth,
  extractWWWAuthenticateParams,
  type AuthProvider,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client'
import type { PersonsClient } from './person.ts'

type Unauthorized = Parameters<NonNullable<AuthProvider['onUnauthorized']>>[0]

/**
 * What an application adds to the SDK so that a login that does not do is made anew (RFC 9470). The
 * SDK's own handling of a 401 reads neither `acr_values` nor `max_age` and tries the refresh token
 * first, which no person logs in for. Its transport calls this hook and then repeats the request.
 */
export class StepUp implements AuthProvider {
  /** How often the person was asked, and with what. */
  readonly logins: URLSearchParams[] = []
  readonly #person: PersonsClient
  readonly #answer: (page: URL) => Promise<URLSearchParams>

  constructor(person: PersonsClient, answer: (page: URL) => Promise<URLSearchParams>) {
    this.#person = person
    this.#answer = answer
  }

  async token(): Promise<string | undefined> {
    return this.#person.stored?.access_token
  }

  async onUnauthorized({ response, serverUrl, fetchFn }: Unauthorized): Promise<void> {
    const { resourceMetadataUrl, scope, error } = extractWWWAuthenticateParams(response)
    const options = {
      serverUrl,
      fetchFn,
      ...(resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl }),
    }
    const asked = await auth(this.#person as OAuthClientProvider, {
      ...options,
      ...(scope === undefined ? {} : { scope }),
      forceReauthorization: error === 'insufficient_user_authentication',
    })
    if (asked === 'AUTHORIZED') return
    const page = new URL(this.#person.page ?? '')
    const challenge = response.headers.get('www-authenticate') ?? ''
    for (const [name, value] of loginOf(challenge)) page.searchParams.set(name, value)
    this.logins.push(page.searchParams)
    const back = await this.#answer(page)
    await auth(this.#person as OAuthClientProvider, {
      ...options,
      authorizationCode: back.get('code') ?? '',
      iss: back.get('iss') ?? '',
    })
  }
}

/** RFC 9470 §3: the names of the challenge are those of the authorization request. */
function loginOf(challenge: string): readonly (readonly [string, string])[] {
  const acrValues = /\bacr_values="([^"]*)"/.exec(challenge)?.[1]
  const maxAge = /\bmax_age="?(\d+)/.exec(challenge)?.[1]
  return [
    ...(acrValues === undefined ? [] : [['acr_values', acrValues] as const]),
    ...(maxAge === undefined ? [] : [['max_age', maxAge] as const]),
  ]
}
