import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client'

/** A port that nobody registered: any port of a loopback redirect must do (RFC 8252 §7.3). */
const CALLBACK = 'http://127.0.0.1:49152/callback'

/**
 * What an application with a person in front of it gives to the SDK: a memory, and a way to show a
 * page. Everything else of the login (discovery, PKCE, `resource`, exchange) is the SDK's own work.
 */
export class PersonsClient implements OAuthClientProvider {
  readonly redirectUrl = CALLBACK
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'Test client',
    redirect_uris: [CALLBACK],
  }
  /** The page that the person was sent to. */
  page: URL | undefined
  stored: StoredOAuthTokens | undefined
  #information: StoredOAuthClientInformation | undefined
  #discovery: OAuthDiscoveryState | undefined
  #verifier = ''
  #states = 0

  /** Known to its issuer already, or nothing: then it registers itself. */
  constructor(registered?: { id: string; issuer: string }) {
    if (registered === undefined) return
    this.#information = { client_id: registered.id, issuer: registered.issuer }
  }

  get id(): string {
    return this.#information?.client_id ?? ''
  }
  get expectedState(): string {
    return `state-${this.#states}`
  }
  state(): string {
    this.#states += 1
    return this.expectedState
  }
  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.#information
  }
  saveClientInformation(information: StoredOAuthClientInformation): void {
    this.#information = information
  }
  tokens(): StoredOAuthTokens | undefined {
    return this.stored
  }
  saveTokens(tokens: StoredOAuthTokens): void {
    this.stored = tokens
  }
  redirectToAuthorization(page: URL): void {
    this.page = page
  }
  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
  }
  codeVerifier(): string {
    return this.#verifier
  }
  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovery = state
  }
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery
  }
}

/** Opens the page, chooses a person, presses a button: the parameters of the way back. */
export async function answerPage(
  page: URL,
  user: string,
  decision: 'allow' | 'deny' = 'allow',
): Promise<URLSearchParams> {
  const shown = await fetch(page, { redirect: 'manual' })
  // What is wrong with the request is told to the client, and nobody sees a page.
  if (shown.status === 303) return wayBack(page, shown)
  const html = await shown.text()
  const action = /<form method="post" action="([^"]+)"/.exec(html)?.[1] ?? ''
  const form = new URLSearchParams({ user, decision })
  for (const [, name = '', value = ''] of html.matchAll(
    /<input type="hidden" name="([^"]*)" value="([^"]*)"/g,
  )) {
    form.set(name, unescaped(value))
  }
  return wayBack(
    page,
    await fetch(new URL(action, page), { method: 'POST', body: form, redirect: 'manual' }),
  )
}

/** As a client that knows who is signed in already: no page is shown. */
export async function answerSilently(page: URL, user: string): Promise<URLSearchParams> {
  const silent = new URL(page)
  silent.searchParams.set('prompt', 'none')
  silent.searchParams.set('login_hint', user)
  return wayBack(page, await fetch(silent, { redirect: 'manual' }))
}

/** It leads to where the client asked for, and nowhere else. */
function wayBack(page: URL, response: Response): URLSearchParams {
  const target = response.headers.get('location') ?? ''
  if (!target.startsWith(`${page.searchParams.get('redirect_uri')}?`)) {
    throw new Error(`the page answered ${response.status} and led to "${target}"`)
  }
  return new URL(target).searchParams
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}

const unescaped = (text: string): string =>
  text.replaceAll(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity)
