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
  forgetForGood,
  inThisWorld,
  ISSUER,
  newUser,
  ORIGIN,
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

describe('what a person allows on the page', () => {
  it('counts at the very next call, and its withdrawal too', async () => {
    const { sub, browser, code } = await person()
    for (let round = 0; round < 2; round += 1) {
      expect(await code()).toBe('consent_required')
      const done = await grantNote(browser, 'day', 'notes of my meetings')
      expect([done.status, done.location]).toEqual([303, '/consents/crm?done=granted'])
      expect(await code()).toBe('allowed')
      expect(await code('read_all')).toBe('consent_required')
      expect(await code('note', 'other-agent')).toBe('consent_required')
      const withdrawn = await withdrawFirst(browser)
      expect(withdrawn.location).toBe('/consents/crm?done=withdrawn')
    }
    expect(await code()).toBe('consent_required')
    const [first] = await rows(sub)
    expect(first).toMatchObject({
      tenant: 'acme',
      issuer: ISSUER,
      subject: sub,
      client: 'acme-agent',
      server: 'crm',
      tool: 'note',
      access: null,
      purpose: 'notes of my meetings',
      revoked_by: 'person',
    })
    const granted = Number(first?.['granted_at'])
    expect(Number(first?.['expires_at']) - granted).toBeCloseTo(24 * 3_600_000, -3)
    expect(Date.now() - granted).toBeLessThan(60_000)
  })

  it('is told by the refusal: its page asks for exactly that', async () => {
    const { sub, browser, code } = await person()
    const response = await post(toolCall('note'), { token: await token({ sub }) })
    const body = (await response.json()) as {
      result: { content: { text: string }[]; _meta: Record<string, { help: { page: string } }> }
    }
    const { page } = body.result._meta['sallyport/refusal']?.help ?? { page: '' }
    expect(body.result.content[0]?.text).toContain(`<${page}>`)
    const url = new URL(page)
    const form = formIn(await browser.get(url.pathname + url.search), GRANT)
    await browser.post(GRANT, { ...form, until: 'open' })
    expect(await code()).toBe('allowed')
    expect((await rows(sub))[0]).toMatchObject({ expires_at: null })
  })

  it('may be a class of access', async () => {
    const { browser, code } = await person()
    const ask = await browser.get('/consents/crm?client=acme-agent&what=access:read')
    await browser.post(GRANT, { ...formIn(ask, GRANT), until: 'month' })
    expect([await code('read_all'), await code('note')]).toEqual(['allowed', 'consent_required'])
  })

  it('replaces what they said before about the same thing', async () => {
    const { sub, browser, code } = await person()
    await grantNote(browser, 'open')
    await grantNote(browser, 'hour')
    expect((await rows(sub)).map((row) => row['revoked_at'] === null)).toEqual([false, true])
    await withdrawFirst(browser)
    expect(await code()).toBe('consent_required')
  })

  it('is to the definition that is pinned, and the page tells what changed since', async () => {
    const { sub, browser, code } = await person()
    await sql(...pinned(PIN, { name: 'note', description: 'Adds a note.' }))
    expect((await browser.get(ASK_NOTE)).text).toContain('Adds a note.')
    await grantNote(browser)
    expect((await rows(sub))[0]).toMatchObject({ definition_hash: PIN })
    expect(await code()).toBe('allowed')
    await sql(...pinned('b'.repeat(64), { name: 'note', description: 'Adds a note for all.' }))
    expect(await code()).toBe('consent_required')
    const page = await browser.get(ASK_NOTE)
    expect(page.text).toContain('This tool was changed after you agreed to it.')
    expect(page.text).toContain('Adds a note for all.')
    expect(page.text).toMatch(/was <code><bdi>&quot;Adds a note\.&quot;/)
    await grantNote(browser)
    expect(await code()).toBe('allowed')
    await forgetForGood('consents')
  })

  it('is refused where the tool was found to do more while they looked at it', async () => {
    const { sub, browser } = await person()
    const form = formIn(await browser.get(ASK_NOTE), GRANT)
    await sql("UPDATE tools SET access = 'destructive' WHERE name = 'note'")
    expect((await browser.get(ASK_NOTE)).text).toContain('delete things for good')
    const sent = [{}, { does: 'destructive' }].map((change) =>
      browser.post(GRANT, { ...form, until: 'hour', ...change }),
    )
    const done = await Promise.all(sent)
    expect([done.map(({ status }) => status), await rows(sub)]).toEqual([[409, 403], []])
  })

  it('is refused where the tool changed while they looked at it', async () => {
    const { sub, browser } = await person()
    const form = formIn(await browser.get(ASK_NOTE), GRANT)
    await sql(...pinned(PIN, { name: 'note' }))
    const done = await browser.post(GRANT, { ...form, until: 'hour' })
    expect([done.status, await rows(sub)]).toEqual([409, []])
  })
})

describe('a form', () => {
  it.each<[string, Record<string, string>, number]>([
    ['of another client', { client: 'other-agent' }, 403],
    ['of an unknown client', { client: 'nobody' }, 403],
    ['of another tool', { tool: 'delete_one' }, 403],
    ['of a tool that is not here', { tool: 'format_disk' }, 403],
    ['of a class in place of a tool', { tool: '', access: 'destructive' }, 403],
    ['of a tool and a class', { access: 'write' }, 400],
    ['of another definition', { definition: PIN }, 403],
    ['with another id', { id: crypto.randomUUID() }, 403],
    ['with a later time', { at: String(Date.now() + 1) }, 403],
    ['without a seal', { seal: '' }, 403],
    ['with a seal of zeros', { seal: 'A'.repeat(43) }, 403],
    ['for a time that is not offered', { until: 'for ever' }, 400],
    ['with words without end', { purpose: 'x'.repeat(201) }, 400],
  ])('%s is refused', async (_, change, status) => {
    const { sub, browser } = await person()
    const form = formIn(await browser.get(ASK_NOTE), GRANT)
    const done = await browser.post(GRANT, { ...form, until: 'hour', purpose: '', ...change })
    expect([done.status, await rows(sub)]).toEqual([status, []])
    // The same form as it was passes, so nothing else was wrong with it.
    expect((await browser.post(GRANT, { ...form, until: 'hour' })).status).toBe(303)
  })

  it('is refused after an hour', async () => {
    const { sub, browser } = await person()
    const form = { ...formIn(await browser.get(ASK_NOTE), GRANT), until: 'open' }
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 61 * 60_000)
    expect([(await browser.post(GRANT, form)).status, await rows(sub)]).toEqual([400, []])
  })

  it('does what it is for and nothing else', async () => {
    const { sub, browser } = await person()
    const grant = formIn(await browser.get(ASK_NOTE), GRANT)
    await browser.post(GRANT, { ...grant, until: 'open' })
    const page = await browser.get('/consents/crm')
    const [given] = await rows(sub)
    const fields = { ...formIn(page, WITHDRAW), ...grant, consent: String(given?.['id']) }
    for (const action of ['withdraw', 'logout']) {
      expect((await browser.post(`/consents/crm/${action}`, fields)).status).toBe(403)
    }
    const withdrawal = formIn(page, WITHDRAW)
    expect((await browser.post('/consents/crm/all/withdraw', withdrawal)).status).toBe(403)
    expect(await rows(sub)).toMatchObject([{ revoked_at: null }])
  })

  it('sent again is refused, also after a withdrawal, also twice at once', async () => {
    const { sub, browser, code } = await person()
    const form = { ...formIn(await browser.get(ASK_NOTE), GRANT), until: 'open' }
    const both = await Promise.all([browser.post(GRANT, form), browser.post(GRANT, form)])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 409])
    await withdrawFirst(browser)
    expect((await browser.post(GRANT, form)).status).toBe(409)
    expect([await rows(sub).then((all) => all.length), await code()]).toEqual([
      1,
      'consent_required',
    ])
  })

  it('of somebody else is refused, and so is a form without anybody', async () => {
    const [alice, mallory] = [await person(), await person()]
    const form = { ...formIn(await mallory.browser.get(ASK_NOTE), GRANT), until: 'open' }
    expect((await alice.browser.post(GRANT, form)).status).toBe(403)
    expect((await new Browser().post(GRANT, form)).status).toBe(401)
    expect([await rows(alice.sub), await rows(mallory.sub)]).toEqual([[], []])
  })

  it('for another server is refused', async () => {
    const { sub, browser } = await person()
    await sql(
      "INSERT INTO servers (name, tenant, url, consent_required) VALUES ('ext', 'acme', 'https://crm.example/mcp/ext', 1)",
      "INSERT INTO tools (tenant, server, name, access) VALUES ('acme', 'ext', 'note', 'write')",
    )
    const form = { ...formIn(await browser.get(ASK_NOTE), GRANT), until: 'hour' }
    expect((await browser.post('/consents/ext/grant', form)).status).toBe(403)
    expect(await rows(sub)).toEqual([])
  })

  it.each<[string, Record<string, string>]>([
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another site that hides', { origin: 'null' }],
    ['nowhere', {}],
    ['a sibling', { origin: 'http://localhost:8787', 'sec-fetch-site': 'same-site' }],
    ['another port', { origin: 'http://localhost:9999' }],
    ['an allowed browser origin', { origin: 'http://127.0.0.1:8787' }],
    ['its own origin, by another site', { origin: ORIGIN, 'sec-fetch-site': 'cross-site' }],
    ['its own origin, by a sibling', { origin: ORIGIN, 'sec-fetch-site': 'same-site' }],
    ['its own origin, by nobody', { origin: ORIGIN, 'sec-fetch-site': 'none' }],
    ['a list of origins', { origin: `${ORIGIN}, ${ORIGIN}` }],
    ['its own origin in other letters', { origin: ORIGIN.toUpperCase() }],
  ])('from %s is refused', async (_, headers) => {
    const { sub, browser } = await person()
    const form = { ...formIn(await browser.get(ASK_NOTE), GRANT), until: 'hour' }
    for (const path of [GRANT, WITHDRAW, '/consents/crm/logout']) {
      expect((await browser.post(path, form, headers)).status, path).toBe(403)
    }
    expect(await rows(sub)).toEqual([])
  })

  it.each([
    ['a field twice', 'client=a&client=b', 'application/x-www-form-urlencoded'],
    ['another type', '{"client":"a"}', 'application/json'],
    ['no end', `client=${'x'.repeat(20_000)}`, 'application/x-www-form-urlencoded'],
  ])('with %s is refused', async (_, body, type) => {
    const { browser } = await person()
    const headers = { origin: browser.origin, 'content-type': type }
    const done = await browser.request(GRANT, { method: 'POST', headers, body })
    expect(done.status).toBe(400)
  })
})

describe('nobody is asked about', () => {
  const asks = (browser: Browser, query: string) =>
    browser.get(`/consents/crm?${query}`).then(({ status }) => status)

  it.each([
    ['an unknown client', 'client=nobody&tool=note', ''],
    ['an inactive client', 'client=acme-agent&tool=note', 'UPDATE clients SET active = 0'],
    [
      'a client that acts for nobody',
      'client=acme-agent&tool=note',
      'UPDATE clients SET acts_for_users = 0',
    ],
    ['a client in other letters', 'client=Acme-agent&tool=note', ''],
    ['a client with a space', 'client=acme-agent%20&tool=note', ''],
    ['a client with a letter that nobody sees', 'client=acme-agent%E2%80%8B&tool=note', ''],
    ['a tool in other letters', 'client=acme-agent&tool=Note', ''],
    [
      'a revoked client',
      'client=acme-agent&tool=note',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'client', 'acme-agent')",
    ],
    [
      'a client of another issuer',
      'client=elsewhere&tool=note',
      "INSERT INTO clients (tenant, issuer, id) VALUES ('acme', 'https://other.example', 'elsewhere')",
    ],
    ['a tool that is not here', 'client=acme-agent&tool=nothing', ''],
    [
      'a tool that no policy lets them use',
      'client=acme-agent&tool=note',
      "INSERT INTO policies (tenant, id, effect, tool) VALUES ('acme', 'no', 'deny', 'note')",
    ],
    [
      'a revoked tool',
      'client=acme-agent&tool=note',
      "INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'tool', 'crm/note')",
    ],
    ['a class that no tool of theirs has', 'client=acme-agent&access=admin', ''],
  ])('%s', async (_, query, change) => {
    const { sub, browser } = await person()
    const form = { ...formIn(await browser.get(ASK_NOTE), GRANT), until: 'hour' }
    if (change !== '') await sql(change)
    expect(await asks(browser, query)).toBe(403)
    // A form from before the change grants nothing either.
    const isThis = query === 'client=acme-agent&tool=note'
    const sent = isThis ? (await browser.post(GRANT, form)).status : 403
    expect(sent).toBe(403)
    expect(await rows(sub)).toEqual([])
  })

  it("somebody else's consent: it is not shown, and cannot be withdrawn", async () => {
    const [alice, mallory] = [await person(), await person()]
    await grantNote(alice.browser, 'open', 'my own words')
    const [given] = await rows(alice.sub)
    expect((await mallory.browser.get('/consents/crm')).text).not.toContain('my own words')
    await grantNote(mallory.browser)
    const form = formIn(await mallory.browser.get('/consents/crm'), WITHDRAW)
    const done = await mallory.browser.post(WITHDRAW, { ...form, consent: String(given?.['id']) })
    expect([done.status, await alice.code()]).toEqual([403, 'allowed'])
  })
})
