import { env } from 'cloudflare:workers'
import { describe, expect, it, vi } from 'vitest'
import {
  ASK_NOTE,
  Browser,
  formIn,
  grantNote,
  withdrawFirst,
  withLogin,
} from '../../support/worker/pages.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  post,
  sql,
  token,
  toolCall,
} from '../../support/worker/world.ts'

inThisWorld()
withLogin()

async function person() {
  const sub = await newUser()
  const browser = new Browser()
  await browser.logIn(sub)
  const bearer = await token({ sub })
  const code = async (tool = 'note', client?: string) => {
    const held = client === undefined ? bearer : await token({ sub, client })
    return (await call(tool, { token: held })).code
  }
  return { sub, browser, code }
}

const rows = async <Row = Record<string, unknown>>(subject: string) => {
  const { results } = await env.DB.prepare(
    'SELECT * FROM consents WHERE subject = ?1 ORDER BY granted_at, id',
  )
    .bind(subject)
    .all<Row>()
  return results
}

const GRANT = '/consents/crm/grant'
const WITHDRAW = '/consents/crm/withdraw'
const PIN = 'a'.repeat(64)
const pinned = (hash: string, definition: object) => [
  `UPDATE tools SET definition_hash = '${hash}', definition = '${JSON.stringify(definition)}' WHERE name = 'note'`,
  `INSERT OR REPLACE INTO tool_sightings (tenant, server, tool, definition_hash, matched_at)
   VALUES ('acme', 'crm', 'note', '${hash}', CAST(unixepoch('subsec') * 1000 AS INTEGER))`,
]

describe('what strangers wrote', () => {
  it('stands on the page as text, within bounds, and turns nothing around', async () => {
    const { browser } = await person()
    const name = `<script>alert(1)</script>\u202egpj.exe\u0000${'a\u0301\u0301\u0301\u0301\u0301\u0301'}${'x'.repeat(500)}`
    await env.DB.prepare('UPDATE clients SET name = ?1, redirect_hosts = ?2 WHERE id = ?3')
      .bind(name, '["\u0430pple.example", "\\" onload=x", 7]', 'acme-agent')
      .run()
    await sql(...pinned(PIN, { name: 'note', title: '</bdi><b>', description: '"><img src=x>' }))
    const { text, status } = await browser.get(ASK_NOTE)
    expect(status).toBe(200)
    expect(text).not.toMatch(/<script|<img|<b>|\u202e|x{100}/)
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}gpj.exe\\u{0}')
    expect(text).toContain('xn--pple-43d.example')
    expect(text).toContain('<bdi>&lt;/bdi&gt;&lt;b&gt;</bdi>')
  })
})

describe('a page', () => {
  it('offers no client that acts for nobody', async () => {
    const { browser } = await person()
    await sql("UPDATE clients SET acts_for_users = 0 WHERE id = 'other-agent'")
    const { text } = await browser.get('/consents/crm')
    expect([text.includes('acme-agent'), text.includes('other-agent')]).toEqual([true, false])
  })

  it('shows a consent whose times no calendar has, and takes it back', async () => {
    const { sub, browser, code } = await person()
    await sql(`INSERT INTO consents (tenant, id, issuer, subject, client, server, tool, granted_at, expires_at)
      VALUES ('acme', 'far', '${ISSUER}', '${sub}', 'acme-agent', 'crm', 'note', -9000000000000000000, 9000000000000000000)`)
    expect(await code()).toBe('allowed')
    expect((await browser.get('/consents/crm')).text).toContain('at no known time')
    expect((await withdrawFirst(browser)).location).toBe('/consents/crm?done=withdrawn')
    expect(await code()).toBe('consent_required')
  })

  it('that cannot be written to says so to a person, and nothing of the cause', async () => {
    const { sub, browser } = await person()
    const form = { ...formIn(await browser.get(ASK_NOTE), GRANT), until: 'hour' }
    await sql(
      "CREATE TRIGGER broken BEFORE INSERT ON consents BEGIN SELECT RAISE(ABORT, 'a secret'); END",
    )
    const faults = vi.spyOn(console, 'error').mockReturnValue()
    const done = await browser.post(GRANT, form)
    await sql('DROP TRIGGER broken')
    expect([done.status, done.headers.get('content-type')]).toEqual([
      500,
      'text/html; charset=utf-8',
    ])
    expect(done.text).toContain('Something went wrong')
    expect(done.text).not.toContain('secret')
    expect([faults.mock.calls.length, await rows(sub)]).toEqual([1, []])
  })

  it.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'POST'])('answers no %s', async (method) => {
    const { browser } = await person()
    for (const path of ['/consents/crm', '/login/callback', '/consents/crm/login']) {
      const { status, headers } = await browser.request(path, { method })
      expect([status, headers.get('access-control-allow-origin')]).toEqual([404, null])
    }
  })

  it('does nothing by GET or HEAD', async () => {
    const { sub, browser, code } = await person()
    await grantNote(browser)
    const ask = formIn(await browser.get(ASK_NOTE), GRANT)
    const back = formIn(await browser.get('/consents/crm'), WITHDRAW)
    for (const method of ['GET', 'HEAD']) {
      for (const [path, fields] of [
        [GRANT, { ...ask, until: 'open' }],
        [WITHDRAW, back],
      ] as const) {
        const query = new URLSearchParams(fields).toString()
        expect((await browser.request(`${path}?${query}`, { method })).status).toBe(404)
      }
    }
    expect([(await rows(sub)).length, await code()]).toEqual([1, 'allowed'])
  })

  it('tells what was done, but not for a link of another site', async () => {
    const { browser } = await person()
    const told = async (site: string) =>
      (
        await browser.request('/consents/crm?done=granted', {
          headers: { 'sec-fetch-site': site },
        })
      ).text.includes('Allowed. It counts')
    expect([await told('same-origin'), await told('cross-site')]).toEqual([true, false])
  })

  it('says so where nothing is asked for', async () => {
    const { browser } = await person()
    const { text } = await browser.get('/consents/crm')
    expect(text).not.toContain('does not ask for consents')
    await sql("UPDATE servers SET consent_required = 0 WHERE name = 'crm'")
    expect((await browser.get('/consents/crm')).text).toContain('does not ask for consents')
  })

  it('of a server called `mcp` and an endpoint of one called `consents` do not meet', async () => {
    await sql(
      "INSERT INTO servers (name, tenant, url) VALUES ('mcp', 'acme', 'https://crm.example/mcp/a'), ('consents', 'acme', 'https://crm.example/mcp/b')",
    )
    const { status, text } = await new Browser().get('/consents/mcp')
    expect([status, text.includes('Sign in at')]).toEqual([200, true])
    expect((await post(toolCall('note'), { server: 'consents', token: null })).status).toBe(401)
  })
})
