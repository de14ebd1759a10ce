import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import {
  answers,
  Browser,
  formIn,
  leadBack,
  PAGES,
  redeemed,
  withLogin,
} from '../../support/worker/pages.ts'
import { inThisWorld, ISSUER, post, sql, token, toolCall } from '../../support/worker/world.ts'

inThisWorld()
withLogin()

const CALLBACK = '/login/callback'
const isIn = async (browser: Browser) =>
  (await browser.get('/consents/crm')).text.includes('Signed in as')
const sessions = async () =>
  (await env.DB.prepare('SELECT * FROM page_sessions').all<Record<string, unknown>>()).results

describe('a login', () => {
  it('leads to the issuer with code, PKCE, state and nonce, and back to the page', async () => {
    const browser = new Browser()
    const page = await browser.get('/consents/crm?client=acme-agent&tool=note')
    expect(page.status).toBe(200)
    expect(page.text).toContain('Sign in at')
    expect(page.text).toContain('client=acme-agent&amp;tool=note')
    const way = await browser.goOut('crm', '&client=acme-agent&tool=note')
    expect(way.origin + way.pathname).toBe(`${ISSUER}/authorize`)
    expect(Object.fromEntries(way.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: PAGES,
      redirect_uri: `${browser.origin}${CALLBACK}`,
      scope: 'openid',
      code_challenge_method: 'S256',
    })
    const back = leadBack(way, 'alice')
    const done = await browser.get(back.pathname + back.search)
    expect([done.status, done.location]).toEqual([303, '/consents/crm?client=acme-agent&tool=note'])
    expect((await browser.get(done.location ?? '')).text).toContain('Allow this?')
    expect(redeemed[0]?.get('code_verifier')).toMatch(/^[\w-]{43}$/)
    expect([...browser.cookies.keys()]).toEqual(['sallyport-person'])
  })

  it('leaves a digest in the database and eight hours at most, never what the cookie holds', async () => {
    const browser = new Browser()
    await browser.logIn('alice')
    const [row] = await sessions()
    const secret = browser.cookies.get('sallyport-person') ?? ''
    expect(JSON.stringify(row)).not.toContain(secret)
    expect(Number(row?.['expires_at']) - Number(row?.['created_at'])).toBe(8 * 3_600_000)
    await browser.get('/consents/crm')
    expect(await sessions()).toEqual([row])
  })

  it('sets cookies that scripts and other sites cannot use', async () => {
    const browser = new Browser()
    const way = await browser.goOut()
    const back = leadBack(way, 'alice')
    const done = await browser.get(back.pathname + back.search)
    for (const cookie of done.headers.getSetCookie()) {
      expect(cookie).toMatch(/; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
    }
  })

  it('ends with the sign-out, and with its eight hours', async () => {
    const browser = new Browser()
    await browser.logIn('alice')
    const out = formIn(await browser.get('/consents/crm'), '/consents/crm/logout')
    const kept = new Map(browser.cookies)
    expect((await browser.post('/consents/crm/logout', out)).status).toBe(303)
    expect([browser.cookies.size, await sessions()]).toEqual([0, []])
    for (const [name, value] of kept) browser.cookies.set(name, value)
    expect(await isIn(browser)).toBe(false)

    await browser.logIn('alice')
    expect(await isIn(browser)).toBe(true)
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 8 * 3_600_000)
    expect(await isIn(browser)).toBe(false)
  })

  it('is with the secret that was deployed for this tenant and this origin', async () => {
    await sql(`UPDATE issuers SET login_secret = 'LOGIN_ACME'`)
    const browser = new Browser()
    const out = await browser.get(`/consents/crm/login?issuer=${encodeURIComponent(ISSUER)}`)
    // The secret is not there: nobody is sent out to come back in vain.
    expect(out.status).toBe(503)
  })
})

describe('a login is not finished', () => {
  const back = async (browser: Browser, change: (url: URL) => void = () => undefined) => {
    const url = leadBack(await browser.goOut(), 'alice')
    change(url)
    return browser.get(url.pathname + url.search)
  }

  it.each<[string, (url: URL) => void, number]>([
    ['with two states', (url) => url.searchParams.append('state', 'x'), 400],
    ['by another issuer', (url) => url.searchParams.set('iss', 'https://evil.example'), 400],
    ['without `iss` where the issuer sends it', (url) => url.searchParams.delete('iss'), 400],
    ['with an unknown code', (url) => url.searchParams.set('code', 'x'), 400],
    ['with two codes', (url) => url.searchParams.append('code', 'x'), 400],
    ['with an error', (url) => url.searchParams.set('error', 'access_denied'), 400],
    ['with a token in the address', (url) => url.searchParams.set('id_token', 'x'), 400],
  ])('%s', async (_, change, status) => {
    const browser = new Browser()
    const done = await back(browser, change)
    expect([done.status, await sessions()]).toEqual([status, []])
    // What was pending is used up.
    expect(browser.cookies.size).toBe(0)
  })

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['for another client', { aud: 'other' }, {}],
    ['for us and others', { aud: [PAGES, 'other'], azp: PAGES }, {}],
    ['for nobody', { aud: [] }, {}],
    ['made for another party', { azp: 'other' }, {}],
    ['with another nonce', { nonce: 'x'.repeat(43) }, {}],
    ['without a nonce', { nonce: undefined }, {}],
    ['of another issuer', { iss: 'https://evil.example' }, {}],
    ['that has expired', { exp: 1_600_000_000 }, {}],
    ['that is of tomorrow', { iat: 4_000_000_000, exp: 4_000_000_300 }, {}],
    ['without an end', { exp: undefined }, {}],
    ['without a subject', { sub: '' }, {}],
    ['with a subject of two lines', { sub: 'a\nb' }, {}],
    ['that is an access token', {}, { typ: 'at+jwt' }],
    ['that is a logout token', {}, { typ: 'logout+jwt' }],
    ['with an unknown key', {}, { kid: 'k9' }],
  ])('by an ID token %s', async (_, claims, header) => {
    answers.idToken = { claims, header }
    const done = await back(new Browser())
    expect(done.status).toBeGreaterThanOrEqual(400)
    expect(await sessions()).toEqual([])
  })

  it('by an ID token that nobody signed', async () => {
    answers.tokenEndpoint = () => {
      const part = (value: object) => btoa(JSON.stringify(value)).replaceAll('=', '')
      const idToken = `${part({ alg: 'none' })}.${part({ iss: ISSUER, sub: 'alice', aud: PAGES })}.`
      return Response.json({ access_token: 'x', token_type: 'Bearer', id_token: idToken })
    }
    expect((await back(new Browser())).status).toBe(403)
  })

  it.each<[string, () => Response, number]>([
    ['without an ID token', () => Response.json({ access_token: 'x', token_type: 'Bearer' }), 403],
    ['a page', () => new Response('<html>'), 403],
    ['a redirect', () => Response.redirect('https://evil.example/', 307), 403],
    ['an error of its own', () => new Response(null, { status: 500 }), 503],
    ['no end', () => new Response('x'.repeat(70_000)), 503],
  ])('where the token endpoint answers with %s', async (_, answer, status) => {
    answers.tokenEndpoint = answer
    expect([(await back(new Browser())).status, await sessions()]).toEqual([status, []])
  })

  it.each<[string, Record<string, unknown>]>([
    ['another issuer', { issuer: 'https://evil.example' }],
    ['an address inside', { token_endpoint: 'https://10.0.0.1/token' }],
    ['an address of ours', { token_endpoint: 'http://localhost:8787/token' }],
    ['no endpoint', { authorization_endpoint: undefined }],
  ])('where the metadata names %s', async (_, metadata) => {
    answers.metadata = metadata
    const out = await new Browser().get(`/consents/crm/login?issuer=${encodeURIComponent(ISSUER)}`)
    expect([out.status, out.location]).toEqual([503, null])
  })

  it('in a browser that did not begin it: a link with somebody else’s code signs nobody in', async () => {
    const mallory = new Browser()
    const url = leadBack(await mallory.goOut(), 'mallory')
    const victim = new Browser()
    expect((await victim.get(url.pathname + url.search)).status).toBe(400)
    // Not even while a login of the victim's own is pending.
    await victim.goOut()
    expect((await victim.get(url.pathname + url.search)).status).toBe(400)
    expect([await isIn(victim), await sessions()]).toEqual([false, []])
  })

  it('twice', async () => {
    const browser = new Browser()
    const url = leadBack(await browser.goOut(), 'alice')
    const pending = new Map(browser.cookies)
    expect((await browser.get(url.pathname + url.search)).status).toBe(303)
    browser.cookies.clear()
    for (const [name, value] of pending) browser.cookies.set(name, value)
    expect((await browser.get(url.pathname + url.search)).status).toBe(400)
  })

  it('after ten minutes', async () => {
    const browser = new Browser()
    const url = leadBack(await browser.goOut(), 'alice')
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 10 * 60_000 + 1)
    expect((await browser.get(url.pathname + url.search)).status).toBe(400)
  })

  it('without `iss` where two issuers could be meant', async () => {
    answers.metadata = { authorization_response_iss_parameter_supported: false }
    answers.iss = null
    const browser = new Browser()
    expect((await browser.logIn('alice')).status).toBe(303)
    await sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      "INSERT INTO issuers (tenant, url, jwks_uri, login_client) VALUES ('globex', 'https://other.example', 'https://other.example/k', 'p')",
    )
    expect((await new Browser().logIn('alice')).status).toBe(403)
  })
})

describe('nobody chooses', () => {
  it('the session that a login leads to: a planted cookie is not taken over', async () => {
    const browser = new Browser()
    const planted = 'A'.repeat(43)
    browser.cookies.set('sallyport-person', planted)
    await browser.logIn('alice')
    expect(browser.cookies.get('sallyport-person')).not.toBe(planted)
    const mallory = new Browser()
    mallory.cookies.set('sallyport-person', planted)
    expect(await isIn(mallory)).toBe(false)
  })

  it('which session a second login leaves: the first one is over', async () => {
    const browser = new Browser()
    await browser.logIn('alice')
    const first = browser.cookies.get('sallyport-person') ?? ''
    await browser.logIn('bob')
    expect((await browser.get('/consents/crm')).text).toContain('<bdi>bob</bdi>')
    browser.cookies.set('sallyport-person', first)
    expect(await isIn(browser)).toBe(false)
  })

  it.each(['https://evil.example/', '//evil.example/', '/\\evil.example', '/consents/crm/../../x'])(
    'where it leads: %s',
    async (target) => {
      const browser = new Browser()
      const extra = ['return', 'return_to', 'next', 'redirect_uri', 'client']
        .map((name) => `&${name}=${encodeURIComponent(target)}`)
        .join('')
      const done = await browser.logIn(
        'alice',
        'crm',
        `${extra}&tool=${encodeURIComponent(target)}`,
      )
      expect(new URL(done.location ?? '', browser.origin).origin).toBe(browser.origin)
      expect(new URL(done.location ?? '', browser.origin).pathname).toBe('/consents/crm')
    },
  )

  it('the issuer: only those of the server’s tenant, and active', async () => {
    const out = (issuer: string) =>
      new Browser().get(`/consents/crm/login?issuer=${encodeURIComponent(issuer)}`)
    expect((await out('https://evil.example')).status).toBe(404)
    await sql('UPDATE issuers SET active = 0')
    expect((await out(ISSUER)).status).toBe(404)
  })

  it('the address: only under our own names', async () => {
    const stranger = new Browser({}, 'http://evil.example')
    expect((await stranger.get('/consents/crm')).status).toBe(403)
  })

  it('a login from another site', async () => {
    const browser = new Browser({ 'sec-fetch-site': 'cross-site' })
    const out = await browser.get(`/consents/crm/login?issuer=${encodeURIComponent(ISSUER)}`)
    expect([out.location, browser.cookies.size]).toEqual(['/consents/crm', 0])
  })
})

describe('another tenant', () => {
  const globex = (claim: string | null, client = PAGES) =>
    sql(
      `UPDATE issuers SET tenant_claim = 'tenant'`,
      "INSERT INTO tenants (id) VALUES ('globex')",
      `INSERT INTO issuers (tenant, url, jwks_uri, tenant_claim, login_client)
       VALUES ('globex', '${ISSUER}', '${ISSUER}/jwks.json', ${claim === null ? 'NULL' : `'${claim}'`}, '${client}')`,
      "INSERT INTO servers (name, tenant, url, consent_required) VALUES ('gx', 'globex', 'https://crm.example/mcp/gx', 1)",
    )

  it('is not entered by a login at this one’s page, nor this one by a login there', async () => {
    await globex('tenant')
    answers.idToken = { claims: { tenant: 'acme' } }
    const browser = new Browser()
    expect((await browser.logIn('alice', 'crm')).location).toBe('/consents/crm')
    expect((await browser.get('/consents/crm')).text).toContain('Signed in as')
    expect((await browser.get('/consents/gx')).text).not.toContain('Signed in as')
    expect((await new Browser().logIn('alice', 'gx')).status).toBe(403)
    answers.idToken = { claims: { tenant: 'globex' } }
    expect((await new Browser().logIn('alice', 'crm')).status).toBe(403)
    answers.idToken = {}
    expect((await new Browser().logIn('alice', 'crm')).status).toBe(403)
    answers.idToken = { claims: { tenant: ['acme', 'globex'] } }
    expect((await new Browser().logIn('alice', 'crm')).status).toBe(403)
  })

  it('is not entered by moving a pending login there', async () => {
    await globex('tenant')
    answers.idToken = { claims: { tenant: 'acme' } }
    const browser = new Browser()
    const url = leadBack(await browser.goOut('crm'), 'alice')
    const name = 'sallyport-login'
    const text = atob((browser.cookies.get(name) ?? '').replaceAll('-', '+').replaceAll('_', '/'))
    const moved = btoa(text.replace('"server":"crm"', '"server":"gx"'))
    browser.cookies.set(name, moved.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''))
    expect((await browser.get(url.pathname + url.search)).status).toBe(403)
    expect(await sessions()).toEqual([])
  })
})

describe('who is no longer trusted', () => {
  const revoke = (kind: string, id: string, issuer = '*') =>
    sql(
      `INSERT INTO revocations (tenant, kind, id, issuer) VALUES ('acme', '${kind}', '${id}', '${issuer}')`,
    )

  it.each([
    ['the subject', () => revoke('subject', 'alice')],
    ['the subject at this issuer', () => revoke('subject', 'alice', ISSUER)],
    ['the issuer', () => revoke('issuer', ISSUER)],
    ['the tenant', () => revoke('tenant', 'acme')],
    ['an inactive tenant', () => sql('UPDATE tenants SET active = 0')],
    ['an inactive issuer', () => sql('UPDATE issuers SET active = 0')],
    ['an issuer where nobody logs in', () => sql('UPDATE issuers SET login_client = NULL')],
  ])('%s: the page is closed at the next request, and no login opens it', async (_, change) => {
    const browser = new Browser()
    await browser.logIn('alice')
    const page = await browser.get('/consents/crm?client=acme-agent&tool=note')
    const form = formIn(page, '/consents/crm/grant')
    const fresh = new Browser()
    const pending = leadBack(await fresh.goOut(), 'alice')
    await change()
    expect(await isIn(browser)).toBe(false)
    const done = await browser.post('/consents/crm/grant', { ...form, until: 'hour' })
    expect(done.status).toBeGreaterThanOrEqual(401)
    const entered = await fresh.get(pending.pathname + pending.search)
    expect(entered.status).toBeGreaterThanOrEqual(403)
    expect(await isIn(fresh)).toBe(false)
    const consents = await env.DB.prepare('SELECT count(*) AS n FROM consents').first()
    expect(consents).toEqual({ n: 0 })
  })

  it('the key that signs: no login with it opens the page', async () => {
    await revoke('issuer_key', 'k1', ISSUER)
    const browser = new Browser()
    await browser.logIn('alice')
    expect(await isIn(browser)).toBe(false)
  })

  it('somebody else of that name at another issuer stays', async () => {
    const browser = new Browser()
    await browser.logIn('alice')
    await revoke('subject', 'alice', 'https://other.example')
    expect(await isIn(browser)).toBe(true)
  })
})

describe('every page', () => {
  it('runs nothing, is framed by nobody, and is kept nowhere', async () => {
    const browser = new Browser()
    await browser.logIn('alice')
    for (const path of ['/consents/crm', '/consents/nothing', '/consents/crm/all', CALLBACK]) {
      const { headers, text } = await browser.get(path)
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      )
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('access-control-allow-origin')).toBeNull()
      expect(text).not.toMatch(/<script| style=| on[a-z]+=/)
    }
  })

  it('is no way into an MCP endpoint: a page’s cookie is no credential there', async () => {
    const browser = new Browser()
    await browser.logIn('alice')
    const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ')
    const response = await post(toolCall('note'), { token: null, headers: { cookie } })
    expect(response.status).toBe(401)
  })

  it('nor is an ID token', async () => {
    const id = await token({ claims: { aud: PAGES }, header: { typ: 'JWT' } })
    expect((await post(toolCall('note'), { token: id })).status).toBe(401)
  })
})
