import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, it } from 'vitest'
import { consentAt, givenAt, givenBy, withdrawConsent } from '../../../src/people/consents.ts'
import type { Person } from '../../../src/people/session.ts'
import type { Site } from '../../../src/people/site.ts'
import { ok } from '../../../src/result.ts'
import { factsStatement, type FactKeys } from '../../../src/storage/facts.ts'
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
  behaviour,
  inThisWorld,
  ISSUER,
  newUser,
  sql,
  token,
} from '../../support/worker/world.ts'

inThisWorld()
withLogin()

const KEYS: FactKeys = {
  tenant: 'acme',
  issuer: ISSUER,
  subject: 'alice',
  client: 'acme-agent',
  agent: null,
  subjectHolder: ['user', 'alice'],
  agentHolder: ['client', 'acme-agent'],
  revocable: [],
  server: 'crm',
  tool: 'note',
  row: 'note',
  listing: false,
  named: [],
  transaction: null,
  taskHandle: null,
  underTask: null,
  issuedAt: null,
  tokenSession: null,
}

const DAY_MS = 24 * 3_600_000

/** So many rows of one person and client, or of a new person each. */
const many = (count: number, subject: string, more: Record<string, string> = {}): string => {
  const columns = Object.entries({
    tenant: "'acme'",
    id: `'${subject.replaceAll("'", '')}-' || n`,
    issuer: `'${ISSUER}'`,
    subject,
    client: "'acme-agent'",
    server: "'crm'",
    tool: "'note'",
    ...more,
  })
  return `INSERT INTO consents (${columns.map(([name]) => name).join(', ')})
    WITH RECURSIVE counted(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM counted WHERE n < ${count})
    SELECT ${columns.map(([, value]) => value).join(', ')} FROM counted`
}
const longAgo = (days: number) => ({
  granted_at: `${Date.now() - days * DAY_MS - 1} + n`,
  revoked_at: `${Date.now() - days * DAY_MS} + n`,
})

async function person() {
  const sub = await newUser()
  const browser = new Browser()
  await browser.logIn(sub)
  const bearer = await token({ sub })
  const code = async () => (await call('note', { token: bearer })).code
  return { sub, browser, code }
}

describe('among very many consents', () => {
  /** D1, counting what it reads. */
  let rowsRead = 0
  interface Counted {
    readonly real: D1PreparedStatement
    bind(...values: unknown[]): Counted
    all(): Promise<D1Result>
    run(): Promise<D1Result>
    first(): Promise<unknown>
  }
  const counted = (real: D1PreparedStatement): Counted => {
    const all = async () => {
      const result = await real.all()
      rowsRead += result.meta.rows_read
      return result
    }
    return {
      real,
      bind: (...values) => counted(real.bind(...values)),
      all,
      run: all,
      first: async () => (await all()).results[0] ?? null,
    }
  }
  const database = {
    prepare: (text: string) => counted(env.DB.prepare(text)),
    batch: async (statements: Counted[]) => {
      const results = await env.DB.batch(statements.map(({ real }) => real))
      rowsRead += results.reduce((sum, { meta }) => sum + meta.rows_read, 0)
      return results
    },
  }
  const read = async (reading: (from: typeof database) => Promise<unknown>) =>
    ok(await reading(database))
  const site = {
    name: 'crm',
    compiled: { tenant: 'acme' },
    people: { database, now: Date.now, doors: { policies: { read } } },
  } as unknown as Site
  const alice: Person = {
    tenant: 'acme',
    issuer: ISSUER,
    subject: 'alice',
    issuerSession: null,
    keyId: null,
    secret: 'x',
  }

  beforeEach(() =>
    sql(
      many(10_000, "'person-' || n", { id: "'o' || n" }),
      many(3_000, "'alice'", longAgo(9)),
      many(1, "'alice'", { id: "'alice-open'" }),
    ),
  )

  it.each<[string, number, () => Promise<unknown>]>([
    ['the page of a person', 900, () => givenBy(site, alice)],
    ['the page of administrators', 900, () => givenAt(site, Date.now() + 1, '')],
    [
      'a call',
      700,
      async () => {
        const statement = factsStatement(env.DB.withSession('first-primary'), KEYS)
        const { results, meta } = await statement.all<{ consents: string }>()
        rowsRead += meta.rows_read
        expect(results[0]?.consents).toContain('alice-open')
      },
    ],
    ['one consent', 5, () => consentAt(site, 'alice-open', alice)],
    [
      'a withdrawal',
      30,
      async () => {
        const about = await consentAt(site, 'alice-open', alice)
        if (!about.ok || about.value === null) throw new Error('none')
        expect(await withdrawConsent(site, about.value, 'person')).toBe(1)
      },
    ],
  ])('%s reads few of them', async (_, most, act) => {
    rowsRead = 0
    await act()
    expect(rowsRead).toBeGreaterThan(0)
    expect(rowsRead).toBeLessThanOrEqual(most)
  })
})

describe('what a person could take back', () => {
  it('is on their page, however often they said something since', async () => {
    const { sub, browser, code } = await person()
    await sql(
      many(1, `'${sub}'`, { id: "'old'", granted_at: String(Date.now() - 300 * DAY_MS) }),
      many(250, `'${sub}'`, { ...longAgo(2), client: "'other-agent'" }),
    )
    expect(await code()).toBe('allowed')
    expect((await withdrawFirst(browser)).location).toBe('/consents/crm?done=withdrawn')
    expect(await code()).toBe('consent_required')
  })

  it('counts at the call, among hundreds that have ended', async () => {
    const { sub, code } = await person()
    await sql(
      many(400, `'${sub}'`, longAgo(2)),
      many(1, `'${sub}'`, { id: "'0'", granted_at: String(Date.now() - 300 * DAY_MS) }),
      many(150, `'${sub}'`, { id: "'later-' || n", ...longAgo(-0.5) }).replaceAll(
        'granted_at, revoked_at',
        'granted_at, expires_at',
      ),
    )
    expect(await code()).toBe('allowed')
  })
})

describe('how much one person may give to one client at one server', () => {
  it('is not used up by what ended long ago', async () => {
    const { sub, browser, code } = await person()
    await sql(many(400, `'${sub}'`, longAgo(2)))
    expect((await grantNote(browser)).status).toBe(303)
    expect(await code()).toBe('allowed')
  })

  it('is 200 that hold or ended within a day, for pages and for SQL', async () => {
    const { sub, browser } = await person()
    await sql(many(200, `'${sub}'`, longAgo(0.5)))
    const form = { ...formIn(await browser.get(ASK_NOTE), '/consents/crm/grant'), until: 'hour' }
    expect((await browser.post('/consents/crm/grant', form)).status).toBe(429)
    await expect(sql(many(1, `'${sub}'`, { id: "'one more'" }))).rejects.toThrow('at most 200')
    await sql(many(1, `'${sub}'`, { id: "'elsewhere'", client: "'other-agent'" }))
  })
})

describe('a withdrawal while a call runs', () => {
  it('leaves that call as it was decided, and refuses the next', async () => {
    const { browser, code } = await person()
    await grantNote(browser, 'open')
    const serve = behaviour.upstream
    behaviour.upstream = async (request) => {
      expect((await withdrawFirst(browser)).status).toBe(303)
      return serve(request)
    }
    expect([await code(), await code()]).toEqual(['allowed', 'consent_required'])
  })
})

describe('a consent by SQL', () => {
  it.each<[string, Record<string, string>]>([
    ['of the client in other letters', { client: "'Acme-agent'" }],
    ['of the client with a space', { client: "'acme-agent '" }],
    ['of the client with an unseen letter', { client: "'acme-agent' || char(8203)" }],
    ['at another issuer', { issuer: `'${ISSUER}/'` }],
    ['of the tool in other letters', { tool: "'Note'" }],
    ['of a pattern', { tool: "'*'" }],
    ['that ended this moment', { granted_at: '1', expires_at: String(Date.now()) }],
    ['that is taken back tomorrow', { revoked_at: String(Date.now() + DAY_MS) }],
  ])('%s allows nothing', async (_, columns) => {
    const { sub, code } = await person()
    await sql(many(1, `'${sub}'`, columns))
    expect(await code()).toBe('consent_required')
    await sql(many(1, `'${sub}'`, { id: "'right'" }))
    expect(await code()).toBe('allowed')
  })
})
