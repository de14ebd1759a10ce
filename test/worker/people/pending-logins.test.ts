import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import {
  answers,
  Browser,
  leadBack,
  places,
  redeemed,
  withLogin,
} from '../../support/worker/pages.ts'
import { inThisWorld, ISSUER, sql } from '../../support/worker/world.ts'

inThisWorld()
withLogin()

const isIn = async (browser: Browser) =>
  (await browser.get('/consents/crm')).text.includes('Signed in as')
const sessions = async () =>
  (await env.DB.prepare('SELECT * FROM page_sessions').all<Record<string, unknown>>()).results

describe('a login is not finished', () => {
  it.each<[string, (url: URL) => void]>([
    ['with another state', (url) => url.searchParams.set('state', 'x'.repeat(43))],
    ['without a state', (url) => url.searchParams.delete('state')],
    ['without anything', (url) => void (url.search = '')],
  ])('%s, which is no answer to it: it goes on', async (_, change) => {
    const browser = new Browser()
    const url = leadBack(await browser.goOut(), 'alice')
    const other = new URL(url)
    change(other)
    expect((await browser.get(other.pathname + other.search)).status).toBe(400)
    expect([redeemed.length, await sessions()]).toEqual([0, []])
    expect((await browser.get(url.pathname + url.search)).status).toBe(303)
  })

  it('in the tab that began first; the last one goes on, and the way back is shown', async () => {
    const browser = new Browser()
    const first = leadBack(await browser.goOut(), 'alice')
    const second = leadBack(await browser.goOut(), 'alice')
    const refused = await browser.get(first.pathname + first.search)
    expect([refused.status, refused.text.includes('href="/consents/crm"')]).toEqual([400, true])
    expect((await browser.get(second.pathname + second.search)).status).toBe(303)
    expect(await isIn(browser)).toBe(true)
  })

  it('by moving what is pending to another issuer: no code is shown to it', async () => {
    const EVIL = 'https://evil-issuer.example'
    await sql(
      `INSERT INTO issuers (tenant, url, jwks_uri, login_client) VALUES ('acme', '${EVIL}', '${EVIL}/k', 'p')`,
    )
    const shown: string[] = []
    places.set(`${EVIL}/.well-known/openid-configuration`, () =>
      Response.json({
        issuer: EVIL,
        authorization_endpoint: `${EVIL}/a`,
        token_endpoint: `${EVIL}/t`,
      }),
    )
    places.set(`${EVIL}/t`, async (request) => {
      shown.push(await request.text())
      return new Response(null, { status: 400 })
    })
    for (const iss of [ISSUER, null]) {
      answers.iss = iss
      const browser = new Browser()
      const url = leadBack(await browser.goOut(), 'alice')
      const name = 'sallyport-login'
      const text = atob((browser.cookies.get(name) ?? '').replaceAll('-', '+').replaceAll('_', '/'))
      const moved = btoa(text.replace(`"issuer":"${ISSUER}"`, `"issuer":"${EVIL}"`))
      browser.cookies.set(name, moved.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''))
      expect((await browser.get(url.pathname + url.search)).status).toBeGreaterThanOrEqual(400)
    }
    expect([shown, await sessions()]).toEqual([[], []])
  })
})
