import { exports } from 'cloudflare:workers'
import { base64url } from 'jose'
import { beforeEach, vi } from 'vitest'
import { ISSUER, ORIGIN, sql, token, type TokenOptions } from './world.ts'

/** Under which client id people log in to our pages. */
export const PAGES = 'sallyport-pages'

/** What the issuer puts into its answers; a test may put something else there. */
export interface IssuerAnswers {
  metadata: Record<string, unknown>
  /** null: `iss` is left out. */
  iss: string | null
  idToken: TokenOptions
  tokenEndpoint: ((form: URLSearchParams) => Response | null) | null
}

interface Code {
  readonly nonce: string
  readonly challenge: string
  readonly redirect: string
  readonly sub: string
}

const codes = new Map<string, Code>()
export const answers: IssuerAnswers = {
  metadata: {},
  iss: ISSUER,
  idToken: {},
  tokenEndpoint: null,
}
/** Forms that reached the token endpoint. */
export const redeemed: URLSearchParams[] = []
/** Other places of the network, by address. */
export const places = new Map<string, (request: Request) => Response | Promise<Response>>()

/** After `inThisWorld`: its issuer lets people log in as well. */
export function withLogin(): void {
  beforeEach(async () => {
    codes.clear()
    places.clear()
    redeemed.length = 0
    Object.assign(answers, { metadata: {}, iss: ISSUER, idToken: {}, tokenEndpoint: null })
    await sql(
      `UPDATE issuers SET login_client = '${PAGES}' WHERE url = '${ISSUER}'`,
      "UPDATE servers SET consent_required = 1, title = 'Customers' WHERE name = 'crm'",
      `UPDATE clients SET name = 'Sales helper', redirect_hosts = '["agent.example"]' WHERE id = 'acme-agent'`,
    )
    const inner = vi.mocked(fetch).getMockImplementation()
    vi.mocked(fetch).mockImplementation(async (input, init) => {
      const request = new Request(input, init)
      const place = places.get(request.url)
      if (place !== undefined) return place(request)
      if (request.url === `${ISSUER}/.well-known/openid-configuration`) {
        return Response.json({ ...METADATA, ...answers.metadata })
      }
      if (request.url === `${ISSUER}/token`) return redeem(request)
      if (inner === undefined) throw new Error('no world')
      return inner(request)
    })
  })
}

const METADATA = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/jwks.json`,
  id_token_signing_alg_values_supported: ['ES256'],
  authorization_response_iss_parameter_supported: true,
}

async function redeem(request: Request): Promise<Response> {
  const form = new URLSearchParams(await request.text())
  redeemed.push(form)
  const own = answers.tokenEndpoint?.(form)
  if (own != null) return own
  const code = codes.get(form.get('code') ?? '')
  codes.delete(form.get('code') ?? '')
  const verifier = new TextEncoder().encode(form.get('code_verifier') ?? '')
  const challenge = base64url.encode(
    new Uint8Array(await crypto.subtle.digest('SHA-256', verifier)),
  )
  if (code?.challenge !== challenge || code.redirect !== form.get('redirect_uri')) {
    return Response.json({ error: 'invalid_grant' }, { status: 400 })
  }
  const { claims, header, ...options } = answers.idToken
  const idToken = await token({
    sub: code.sub,
    client: PAGES,
    ...options,
    claims: { aud: PAGES, nonce: code.nonce, ...claims },
    header: { typ: 'JWT', ...header },
  })
  return Response.json({
    access_token: 'never looked at',
    token_type: 'Bearer',
    expires_in: 300,
    id_token: idToken,
  })
}

/** What the issuer's own page leads back with, for this person. */
export function leadBack(way: URL, sub: string): URL {
  const query = way.searchParams
  const code = crypto.randomUUID()
  codes.set(code, {
    nonce: query.get('nonce') ?? '',
    challenge: query.get('code_challenge') ?? '',
    redirect: query.get('redirect_uri') ?? '',
    sub,
  })
  const back = new URL(query.get('redirect_uri') ?? '')
  back.searchParams.set('code', code)
  back.searchParams.set('state', query.get('state') ?? '')
  if (answers.iss !== null) back.searchParams.set('iss', answers.iss)
  return back
}

export interface Page {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly location: string | null
}

/** Half of what a second lets in (`VISITS_PER_SECOND`), since nobody knows when the isolate's one began. */
const VISITS = 95
/** Whatever clock a test puts in its place. */
const clock = Date.now.bind(Date)
let visits = { since: 0, made: 0 }

/** Tests are faster than people, and those of one file share an isolate. */
async function paced(): Promise<void> {
  const left = visits.since + 1_000 - clock()
  if (left > 0 && visits.made >= VISITS) await scheduler.wait(left)
  if (clock() >= visits.since + 1_000) visits = { since: clock(), made: 0 }
  visits.made += 1
}

/** A browser without scripts: it keeps cookies, and says where its forms come from. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly headers: Record<string, string>
  readonly origin: string

  constructor(headers: Record<string, string> = {}, origin = ORIGIN) {
    this.headers = headers
    this.origin = origin
  }

  async request(path: string, init: RequestInit = {}): Promise<Page> {
    const headers = new Headers({ ...this.headers, ...(init.headers as Record<string, string>) })
    if (this.cookies.size > 0) {
      headers.set('cookie', [...this.cookies].map((pair) => pair.join('=')).join('; '))
    }
    const url = new URL(path, this.origin)
    await paced()
    const response = await exports.default.fetch(
      new Request(url, { ...init, headers, redirect: 'manual' }),
    )
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = cookie.split('; ')
      const at = pair.indexOf('=')
      if (attributes.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at))
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const text = await response.text()
    const { status } = response
    return { status, headers: response.headers, text, location: response.headers.get('location') }
  }

  get(path: string): Promise<Page> {
    return this.request(path)
  }

  post(
    path: string,
    fields: Record<string, string>,
    headers: Record<string, string> = { origin: this.origin, 'sec-fetch-site': 'same-origin' },
  ): Promise<Page> {
    return this.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(fields).toString(),
    })
  }

  /** To the issuer's page; the answer is where the browser was sent. */
  async goOut(server = 'crm', query = ''): Promise<URL> {
    const out = await this.get(
      `/consents/${server}/login?issuer=${encodeURIComponent(ISSUER)}${query}`,
    )
    if (out.location === null) throw new Error(`${out.status} ${out.text}`)
    return new URL(out.location)
  }

  async logIn(sub: string, server = 'crm', query = ''): Promise<Page> {
    const back = leadBack(await this.goOut(server, query), sub)
    return this.get(back.pathname + back.search)
  }
}

/** The fields of the form that posts to this path, as the page has them. */
export function formIn(page: Page, action: string, containing = ''): Record<string, string> {
  const forms = page.text.split('<form').slice(1)
  const form = forms.find(
    (text) => text.includes(`action="${action}"`) && text.includes(containing),
  )
  if (form === undefined) throw new Error(`no form for ${action} in ${page.status} ${page.text}`)
  const fields: Record<string, string> = {}
  for (const [tag] of (form.split('</form>')[0] ?? '').matchAll(/<input[^>]*>/g)) {
    const attribute = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1]
    const type = attribute('type')
    if (type === 'radio' && !tag.includes('checked')) continue
    fields[attribute('name') ?? ''] = unescaped(attribute('value') ?? '')
  }
  return fields
}

const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')

export const ASK_NOTE = '/consents/crm?client=acme-agent&tool=note'

/** Through the page, as a person would. */
export async function grantNote(browser: Browser, until = 'hour', purpose = ''): Promise<Page> {
  const form = formIn(await browser.get(ASK_NOTE), '/consents/crm/grant')
  return browser.post('/consents/crm/grant', { ...form, until, purpose })
}

export async function withdrawFirst(browser: Browser): Promise<Page> {
  const form = formIn(await browser.get('/consents/crm'), '/consents/crm/withdraw')
  return browser.post('/consents/crm/withdraw', form)
}
