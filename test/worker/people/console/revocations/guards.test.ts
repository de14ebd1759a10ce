import { beforeEach, describe, expect, it } from 'vitest'
import { liftForm as liftSeal } from '../../../../../src/people/console/revocations/visit.ts'
import { sealed } from '../../../../../src/people/form.ts'
import { sha256 } from '../../../../../src/sha256.ts'
import {
  administrator,
  appoint,
  assertion,
  CAROL,
  CERTS,
  HEADER,
  TEAM,
  withAccess,
} from '../../../../support/worker/access.ts'
import {
  asking,
  held,
  LIFT,
  liftForm,
  revoke,
  REVOKE,
  revokeForm,
  ROOM,
  roomOf,
} from '../../../../support/worker/console.ts'
import { Browser, formIn, withLogin } from '../../../../support/worker/pages.ts'
import { call, inThisWorld, ISSUER, newUser, sql, token } from '../../../../support/worker/world.ts'
import { env } from 'cloudflare:workers'

inThisWorld()
withLogin()
withAccess()

const PAGES = [ROOM, asking('subject', 'alice'), `${ROOM}/history`]

describe('nobody but an administrator of this tenant', () => {
  it.each<[string, () => Promise<Browser>]>([
    ['without the document', async () => new Browser()],
    [
      'with a header that says so',
      async () => new Browser({ 'cf-access-authenticated-user-email': CAROL }),
    ],
    ['without the role', () => administrator({ email: 'mallory@acme.example' })],
    ['for another application', () => administrator({ aud: ['e'.repeat(64)] })],
    ['of another team', () => administrator({ iss: 'https://evil.cloudflareaccess.example' })],
    ['whose time is over', () => administrator({ iat: 1_600_000_000, exp: 1_600_003_600 })],
    [
      'who is signed in as a person',
      async () => {
        const browser = new Browser()
        await browser.logIn(await newUser())
        return browser
      },
    ],
  ])('%s: sees nothing and does nothing', async (_, come) => {
    const carol = await administrator()
    const form = await revokeForm(carol, 'subject', 'alice')
    const mallory = await come()
    for (const path of PAGES) {
      // oxlint-disable-next-line no-await-in-loop
      const { status, text } = await mallory.get(path)
      expect([status, text.includes('alice')]).toEqual([403, false])
    }
    expect((await mallory.post(REVOKE, form)).status).toBe(403)
    expect((await mallory.post(LIFT, form)).status).toBe(403)
    expect(await held()).toEqual([])
  })

  it.each([
    ['role', "DELETE FROM role_assignments WHERE role = 'administrator'"],
    ['issuer', "UPDATE issuers SET active = 0 WHERE kind = 'access'"],
    [
      'signing key',
      `INSERT INTO revocations (tenant, kind, id, issuer) VALUES ('acme', 'issuer_key', 'access-1', '${TEAM}')`,
    ],
    ['trust', `INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${CAROL}')`],
  ])('and who lost the %s since the form was made does nothing with it', async (_, change) => {
    const carol = await administrator()
    await revoke(carol, 'client', 'stays')
    const [revoking, lifting] = [
      await revokeForm(carol, 'subject', 'alice'),
      await liftForm(carol, 'stays'),
    ]
    await sql(change)
    expect((await carol.post(REVOKE, revoking)).status).toBe(403)
    expect((await carol.post(LIFT, lifting)).status).toBe(403)
    expect((await held()).map(({ id }) => id)).not.toContain('alice')
    expect((await held()).map(({ id }) => id)).toContain('stays')
  })
})

it('a key by which she is here herself is not revoked without a warning', async () => {
  const carol = await administrator()
  const mine = 'how you are here yourself'
  expect((await carol.get(asking('issuer_key', 'access-1'))).text).toContain(mine)
  expect((await carol.get(asking('issuer_key', 'access-1', TEAM))).text).toContain(mine)
  expect((await carol.get(asking('issuer_key', 'access-1', ISSUER))).text).not.toContain(mine)
  expect((await carol.get(asking('issuer_key', 'k1'))).text).not.toContain(mine)
})

describe('a form', () => {
  const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }

  it.each<[string, Record<string, string>, Record<string, string>, number]>([
    ['from another site', {}, evil, 403],
    [
      'from a neighbour',
      {},
      { origin: 'http://localhost:8787', 'sec-fetch-site': 'same-site' },
      403,
    ],
    ['without an origin', {}, {}, 403],
    ['of another kind', { kind: 'client' }, {}, 403],
    ['for another id', { named: 'bob' }, {}, 403],
    ['for every issuer', { issuer: '*' }, {}, 403],
    ['after another state', { after: '0' }, {}, 403],
    ['with an id of another form', { id: crypto.randomUUID() }, {}, 403],
    ['of another moment', { at: String(Date.now() - 1) }, {}, 403],
    ['with another seal', { seal: 'A'.repeat(43) }, {}, 403],
    ['with a reason without end', { reason: 'x'.repeat(201) }, {}, 400],
    ['for the tenant of others', { kind: 'tenant', named: 'globex' }, {}, 400],
    ['for nothing', { kind: '', named: '' }, {}, 400],
  ])('%s revokes nothing', async (_, changes, headers, status) => {
    const carol = await administrator()
    // So that `after` is not nought already.
    await revoke(carol, 'subject', 'alice', ISSUER)
    await carol.post(LIFT, await liftForm(carol, 'alice'))
    const form = await revokeForm(carol, 'subject', 'alice', ISSUER)
    const own =
      Object.keys(changes).length > 0
        ? { origin: 'http://localhost:8787', 'sec-fetch-site': 'same-origin' }
        : headers
    expect((await carol.post(REVOKE, { ...form, ...changes }, own)).status).toBe(status)
    expect(await held()).toEqual([])
    // Nothing else was wrong with it.
    expect((await carol.post(REVOKE, form)).status).toBe(303)
  })

  it('of another administrator, or of an earlier document, is none of mine', async () => {
    await sql(appoint('dora@acme.example'))
    const form = await revokeForm(await administrator(), 'subject', 'alice')
    const dora = await administrator({ email: 'dora@acme.example' })
    expect((await dora.post(REVOKE, form)).status).toBe(403)
    const later = await administrator({ identity_nonce: 'y' })
    expect((await later.post(REVOKE, form)).status).toBe(403)
    expect(await held()).toEqual([])
  })

  it('that revokes does not lift, and one that lifts does so to its own row only', async () => {
    const carol = await administrator()
    await revoke(carol, 'subject', 'one')
    await revoke(carol, 'subject', 'two')
    const [one, two] = [await liftForm(carol, ' one'), await liftForm(carol, ' two')]
    expect((await carol.post(LIFT, { ...one, change: two['change'] ?? '' })).status).toBe(403)
    const revoking = await revokeForm(carol, 'subject', 'three')
    expect((await carol.post(LIFT, { ...revoking, change: one['change'] ?? '' })).status).toBe(403)
    expect((await carol.post(LIFT, one, evil)).status).toBe(403)
    expect((await held()).map(({ id }) => id)).toEqual(['one', 'two'])
  })

  it('is only ever sent by POST, and nothing of the page may be kept, framed or run', async () => {
    const carol = await administrator()
    const form = await revokeForm(carol, 'subject', 'alice')
    const asGet = await carol.get(`${REVOKE}?${new URLSearchParams(form).toString()}`)
    expect([asGet.status, await held()]).toEqual([404, []])
    for (const path of PAGES) {
      // oxlint-disable-next-line no-await-in-loop
      const { headers, text } = await carol.get(path)
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('cache-control')).toBe('no-store')
      expect(text).not.toMatch(/<script|style=| on\w+=/)
    }
  })

  it('makes no claim because a link says so', async () => {
    const carol = await administrator()
    const linked = await carol.request(`${ROOM}?done=revoked`, {
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    expect(linked.text).not.toContain('role="status"')
  })
})

describe('what a stream wrote', () => {
  beforeEach(() =>
    sql(
      `INSERT INTO revocations (tenant, kind, id, issuer, source, reason)
       VALUES ('acme', 'subject', 'gone', '${ISSUER}', 'hr/account', 'account disabled')`,
    ),
  )

  it('is not lifted here, whatever form is sent', async () => {
    const document = await assertion()
    const carol = new Browser({ [HEADER]: document })
    const page = await carol.get(ROOM)
    expect(page.text).toContain('when the account is enabled again')
    expect(page.text).not.toContain(`action="${LIFT}"`)
    const row = await env.DB.prepare(
      "SELECT max(sequence) AS change FROM revocation_history WHERE id = 'gone'",
    ).first<{ change: number }>()
    const change = String(row?.change)
    // Even with a right seal, which no page gives.
    const seal = await sealed(await sha256(`form ${document}`), liftSeal('crm', change), Date.now())
    const sent = await carol.post(LIFT, { ...seal, change })
    expect([sent.status, sent.text.includes('taken back where it was said')]).toEqual([403, true])
    expect(await held()).toHaveLength(1)
  })

  it('stands beside what a person says, which is lifted alone', async () => {
    const carol = await administrator()
    await revoke(carol, 'subject', 'gone', ISSUER, 'mine')
    expect(await held()).toHaveLength(2)
    await carol.post(LIFT, await liftForm(carol, 'gone'))
    expect(await held()).toMatchObject([{ reason: 'account disabled' }])
  })
})

it('nothing that a row says is markup, or turns what stands beside it', async () => {
  const evil = `\u202e<img src=x onerror=alert(1)>"'`
  const text = evil.replaceAll("'", "''")
  await sql(
    `INSERT INTO revocations (tenant, kind, id, issuer, source, only_client, reason, revoked_by) VALUES
       ('acme', 'subject', '${text}', '${text}', '', '${text}', '${text}', '${text}'),
       ('acme', 'subject', '${text}', '${text}', '${text}/${text}', '${text}', '${text}', '')`,
    `UPDATE revocations SET lifted_by = '${text}' WHERE source <> ''`,
  )
  const carol = await administrator()
  const list = await carol.get(ROOM)
  await sql("DELETE FROM revocations WHERE source <> ''")
  for (const { text: page } of [list, await carol.get(`${ROOM}/history`)]) {
    expect(page.match(/&lt;img/g)?.length).toBeGreaterThanOrEqual(9)
    expect(page).not.toMatch(/<img|\u202e/)
  }
})

it('of two rows that differ only in for whom they are, the one that was meant is lifted', async () => {
  const rows = [
    ['', 0],
    ['acme-agent', 0],
    ['', 1],
  ] as const
  for (const [client, without] of rows) {
    // oxlint-disable-next-line no-await-in-loop
    await sql(
      `INSERT INTO revocations (tenant, kind, id, only_client, only_without_session)
       VALUES ('acme', 'subject', 'bob', '${client}', ${without})`,
    )
  }
  const carol = await administrator()
  await carol.post(LIFT, await liftForm(carol, 'name="change"'))
  const left = await env.DB.prepare(
    'SELECT only_client, only_without_session FROM revocations ORDER BY only_client',
  ).raw()
  // The newest stands first.
  expect(left).toEqual([
    ['', 0],
    ['acme-agent', 0],
  ])
})

describe('another tenant', () => {
  beforeEach(() =>
    sql(
      "INSERT INTO tenants (id) VALUES ('globex')",
      "INSERT INTO servers (name, tenant, url) VALUES ('gx', 'globex', 'https://crm.example/mcp/gx')",
      `INSERT INTO clients (tenant, issuer, id) VALUES ('globex', '${ISSUER}', 'globex-agent')`,
      "INSERT INTO revocations (tenant, kind, id, reason) VALUES ('globex', 'client', 'globex-agent', 'theirs')",
      `INSERT INTO issuers (tenant, url, jwks_uri, algorithms, kind, audience)
       VALUES ('globex', '${TEAM}', '${CERTS}', '["RS256"]', 'access', '${'e'.repeat(64)}')`,
      `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
       VALUES ('globex', '${TEAM}', 'user', '${CAROL}', 'administrator')`,
    ),
  )
  const theirs = () => administrator({ aud: ['e'.repeat(64)] })

  it('has pages of its own, which confirm nothing of others', async () => {
    const carol = await administrator()
    for (const path of [roomOf('gx'), `${roomOf('gx')}/history`]) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await carol.get(path)).status).toBe(403)
    }
    expect((await (await theirs()).get(ROOM)).status).toBe(403)
    expect((await (await theirs()).get(roomOf('gx'))).text).toContain('globex-agent')
    for (const path of [ROOM, `${ROOM}/history`]) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await carol.get(path)).text).not.toContain('globex')
    }
    // Neither as a name that would be known.
    for (const [kind, id] of [
      ['client', 'globex-agent'],
      ['server', 'gx'],
      ['tenant', 'globex'],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop
      const { text } = await carol.get(asking(kind, id))
      expect(text).toMatch(/Nothing of that name is known|Only this tenant/)
    }
  })

  it('is not written to: neither by a revocation, nor by lifting', async () => {
    const carol = await administrator()
    await revoke(carol, 'client', 'globex-agent')
    await revoke(carol, 'subject', 'alice')
    expect((await held('globex')).map(({ reason }) => reason)).toEqual(['theirs'])
    // Their own entry, with a seal of mine for it.
    const document = await assertion()
    const row = await env.DB.prepare(
      "SELECT max(sequence) AS change FROM revocation_history WHERE tenant = 'globex'",
    ).first<{ change: number }>()
    const change = String(row?.change)
    const seal = await sealed(await sha256(`form ${document}`), liftSeal('crm', change), Date.now())
    const mine = new Browser({ [HEADER]: document })
    expect((await mine.post(LIFT, { ...seal, change })).status).toBe(404)
    // And a form of one tenant is none at the other's server.
    const form = formIn(await mine.get(asking('subject', 'bob')), REVOKE)
    const there = await (await theirs()).post(`${roomOf('gx')}/revoke`, form)
    expect(there.status).toBe(403)
    expect(await held('globex')).toHaveLength(1)
    expect((await call('note', { token: await token({ sub: await newUser() }) })).code).toBe(
      'consent_required',
    )
  })
})

describe('from the consents that everybody gave', () => {
  it('a link leads to the question about person and program', async () => {
    const sub = await newUser()
    await sql(
      `INSERT INTO consents (tenant, id, issuer, subject, client, server, access)
       VALUES ('acme', 'linked', '${ISSUER}', '${sub}', 'acme-agent', 'crm', 'write')`,
    )
    const carol = await administrator()
    const { text } = await carol.get('/consents/crm/all')
    const links = [...text.matchAll(/href="(\/console\/[^"]+kind=[^"]+)"/g)].map(([, href]) =>
      (href ?? '').replaceAll('&amp;', '&'),
    )
    expect(links).toEqual([asking('subject', sub, ISSUER), asking('client', 'acme-agent', ISSUER)])
    expect((await carol.get(links[0] ?? '')).text).toContain('Revoke this?')
    expect(await held()).toEqual([])
  })
})
