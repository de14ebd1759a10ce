/** How this server asks Sallyport whether a token still holds (RFC 7662). */
export interface IntrospectionOptions {
  /** This server's name at Sallyport. */
  readonly name: string
  /** Its SHA-256 is `servers.introspection_digest`. */
  readonly password: string
  readonly fetch?: typeof fetch
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 2_000

export class Introspection {
  readonly #endpoint: URL
  readonly #options: IntrospectionOptions

  constructor(issuer: string, options: IntrospectionOptions) {
    this.#endpoint = new URL('/introspect', issuer)
    this.#options = options
  }

  /** INVARIANT: only `"active": true`, about this very token, is a yes. */
  async holds(token: string, tokenId: string): Promise<'yes' | 'no' | 'unknown'> {
    const { name, password, timeoutMs = TIMEOUT_MS } = this.#options
    const ask = this.#options.fetch ?? fetch
    try {
      const response = await ask(this.#endpoint, {
        method: 'POST',
        headers: {
          authorization: `Basic ${btoa(`${encodeURIComponent(name)}:${encodeURIComponent(password)}`)}`,
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
        },
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (response.status !== 200) return 'unknown'
      const answer = (await response.json()) as { active?: unknown; jti?: unknown }
      return answer.active === true && answer.jti === tokenId ? 'yes' : 'no'
    } catch {
      return 'unknown'
    }
  }
}
