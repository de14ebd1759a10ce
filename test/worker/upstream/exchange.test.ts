import { describe, expect, it } from 'vitest'
import {
  claimsIn,
  EXCHANGED,
  exchanges,
  given,
  gives,
  issuer,
  nextLook,
  PARTNER,
  revocations,
  eventsOf,
  restart,
  withExchange,
} from '../../support/worker/exchange.ts'
import { lastOf, logOf } from '../../support/worker/log.ts'
import {
  call,
  inThisWorld,
  ISSUER,
  newUser,
  seen,
  sql,
  token,
  UPSTREAM,
} from '../../support/worker/world.ts'

inThisWorld()
withExchange()

const shownLast = () => (seen.at(-1)?.headers.get('authorization') ?? '').replace(/^Bearer /, '')
const UNAVAILABLE = { status: 503, code: 'credential_unavailable', decision: null }

describe('a call of a server whose issuer gives tokens in exchange', () => {
  it('carries what the issuer gave for this person, and never what the client sent', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    expect((await call('note', { token: bearer })).code).toBe('allowed')
    const [asked] = exchanges
    expect(asked?.url).toBe(`${ISSUER}/token`)
    expect(asked?.authorization).toBe(`Basic ${btoa('sallyport:c')}`)
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: bearer,
      subject_token_type: EXCHANGED,
      requested_token_type: EXCHANGED,
      resource: UPSTREAM,
      scope: 'crm.call',
    })
    expect(claimsIn(shownLast())).toMatchObject({
      iss: ISSUER,
      sub,
      aud: UPSTREAM,
      scope: 'crm.call',
    })
    const [issued] = await eventsAfterShipping(sub)
    expect((await lastOf(sub)).record.inputs).toMatchObject({
      credential: { kind: 'exchange', id: issued?.credential },
    })
    expect(issued).toMatchObject({ event: 'issued' })
  })

  it('shares it with later calls of the same token, also after a restart', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    await call('note', { token: bearer })
    const first = shownLast()
    await call('read_all', { token: bearer })
    await restart(sub)
    await call('note', { token: bearer })
    expect(shownLast()).toBe(first)
    expect(exchanges).toHaveLength(1)
  })

  it('waits with others for one exchange', async () => {
    const bearer = await token({ sub: await newUser() })
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => call('note', { token: bearer })),
    )
    expect(answers.map(({ code }) => code)).toEqual(Array.from({ length: 12 }, () => 'allowed'))
    expect(exchanges).toHaveLength(1)
    expect(new Set(seen.map(({ headers }) => headers.get('authorization'))).size).toBe(1)
  })

  it.each<[string, (sub: string) => Parameters<typeof token>[0]]>([
    ['another token of theirs', (sub) => ({ sub })],
    ['another client', (sub) => ({ sub, client: 'other-agent' })],
    ['another agent', (sub) => ({ sub, agent: 'bot' })],
  ])('never with a call of %s', async (_what, options) => {
    const sub = await newUser()
    await call('note', { token: await token({ sub }) })
    const first = shownLast()
    await call('note', { token: await token(options(sub)) })
    expect(shownLast()).not.toBe(first)
    expect(exchanges).toHaveLength(2)
  })

  it('never with a call of another task, or of none', async () => {
    const sub = await newUser()
    const bearer = await token({ sub })
    await call('note', { token: bearer })
    await openTask('t1', sub)
    await call('note', { token: bearer })
    await sql(`UPDATE tasks SET closed_at = ${Date.now()}, closed_by = 'x'`)
    await openTask('t2', sub)
    await call('note', { token: bearer })
    expect(exchanges).toHaveLength(3)
    expect(new Set(seen.map(({ headers }) => headers.get('authorization'))).size).toBe(3)
  })

  it('asks anew once what it has would end on the way', async () => {
    const bearer = await token({ sub: await newUser() })
    issuer.token = (asked) => gives(asked, { expires_in: 3 })
    await call('note', { token: bearer })
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await call('note', { token: bearer })
    expect(exchanges).toHaveLength(2)
  })

  it('carries an opaque one as well', async () => {
    issuer.token = (asked) => gives(asked, { access_token: 'opaque-of-the-issuer' })
    expect((await call('note', { token: await token({ sub: await newUser() }) })).code).toBe(
      'allowed',
    )
    expect(shownLast()).toBe('opaque-of-the-issuer')
  })
})

describe('an answer that is not what was asked for lets no call go, and is taken back', () => {
  const asked = { scope: 'crm.call' }
  it.each<[string, Record<string, unknown>, Parameters<typeof gives>[2]]>([
    ['somebody else', {}, { sub: 'eve' }],
    ['a wider audience', {}, { claims: { aud: [UPSTREAM, 'https://other.example/mcp'] } }],
    ['another audience', {}, { claims: { aud: 'https://other.example/mcp' } }],
    ['no audience', {}, { claims: { aud: [] } }],
    ['another issuer', {}, { claims: { iss: 'https://evil.example' } }],
    ['a wider scope, by its word', { scope: 'crm.call crm.admin' }, {}],
    ['a wider scope, by its claim', asked, { claims: { scope: 'crm.call crm.admin' } }],
    ['a scope that is a list', asked, { claims: { scope: ['crm.call'] } }],
    ['a life of a year, by its word', { expires_in: 31_536_000 }, {}],
    ['a longer life than it says', { expires_in: 60 }, { claims: { exp: 9_999_999_999 } }],
    ['a life that is over', {}, { claims: { exp: 1 } }],
    ['a life that has not begun', {}, { claims: { nbf: 9_999_999_999 } }],
    ['a key that we do not have', {}, { claims: { cnf: { jkt: 'x'.repeat(43) } } }],
    ['another kind of token', { token_type: 'DPoP' }, {}],
    ['a token of no kind', { token_type: 'N_A' }, {}],
    ['a number for a kind', { token_type: 1 }, {}],
    [
      'a refresh token for what was issued',
      { issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      {},
    ],
    ['nothing about what was issued', { issued_token_type: undefined }, {}],
    ['a refresh token beside it', { refresh_token: 'standing-access' }, {}],
    ['a time that is a text', { expires_in: '300' }, {}],
    ['a time below zero', { expires_in: -1 }, {}],
    ['an ID token in its place', {}, { header: { typ: 'id+jwt' } }],
  ])('%s', async (_what, members, options) => {
    const sub = await newUser()
    issuer.token = (form) => gives(form, members, options)
    expect(await call('note', { token: await token({ sub }) })).toEqual(UNAVAILABLE)
    expect(seen).toEqual([])
    expect(await logOf(sub)).toEqual([])
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
    const events = await eventsAfterShipping(sub)
    expect(events.map(({ event }) => event)).toEqual(['refused', 'revoked'])
  })

  it('the client’s own token, given back', async () => {
    issuer.token = (form) => gives(form, { access_token: form.form.get('subject_token') })
    const sub = await newUser()
    expect(await call('note', { token: await token({ sub }) })).toEqual(UNAVAILABLE)
    expect(seen).toEqual([])
    // It is not ours to take back.
    await nextLook(sub)
    expect(revocations).toEqual([])
  })

  it('the client’s own token, signed once more', async () => {
    const sub = await newUser()
    const jti = 'the-very-same'
    issuer.token = async (form) => gives(form, {}, { claims: { jti } })
    expect(await call('note', { token: await token({ sub, claims: { jti } }) })).toEqual(
      UNAVAILABLE,
    )
    expect(seen).toEqual([])
  })
})

describe('an issuer that does not answer as it should', () => {
  const json = (text: string) =>
    new Response(text, { headers: { 'content-type': 'application/json' } })
  it.each<[string, typeof issuer.token]>([
    ['is down', () => Promise.reject(new TypeError('connection refused'))],
    ['says no', () => Response.json({ error: 'invalid_grant' }, { status: 400 })],
    [
      'does not know us',
      () =>
        Response.json(
          { error: 'invalid_client' },
          { status: 401, headers: { 'www-authenticate': 'Basic' } },
        ),
    ],
    ['fails', () => new Response('oops', { status: 500 })],
    [
      'sends us elsewhere',
      () =>
        new Response(null, { status: 307, headers: { location: 'https://evil.example/token' } }),
    ],
    ['sends a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['sends half an answer', () => json('{"access_token": "x')],
    ['sends an empty answer', () => json('{}')],
    ['sends a list', () => json('[]')],
    [
      'says a thing twice',
      async (asked) =>
        json(
          `{"access_token":"${await given(asked)}","access_token":"evil","issued_token_type":"${EXCHANGED}","token_type":"Bearer"}`,
        ),
    ],
    ['sends too much', () => json(`{"x":"${'x'.repeat(70_000)}"}`)],
    ['sends a token that is no token', (asked) => gives(asked, { access_token: 'a b' })],
    ['sends a number', (asked) => gives(asked, { access_token: 7 })],
  ])('%s: 503, and nothing goes', async (_what, answer) => {
    issuer.token = answer
    const sub = await newUser()
    const bearer = await token({ sub })
    expect(await call('note', { token: bearer })).toEqual(UNAVAILABLE)
    expect(seen).toEqual([])
    expect(await logOf(sub)).toEqual([])
    // It heals with the next call.
    issuer.token = (asked) => gives(asked)
    expect((await call('note', { token: bearer })).code).toBe('allowed')
  })

  it('hangs: 503 within four seconds', { timeout: 10_000 }, async () => {
    issuer.token = () => new Promise(() => undefined)
    const began = Date.now()
    expect(await call('note', { token: await token({ sub: await newUser() }) })).toEqual(
      UNAVAILABLE,
    )
    expect(Date.now() - began).toBeLessThan(4_000)
    expect(seen).toEqual([])
  })

  it('takes its time: facts are read again, and a revocation meanwhile is felt', async () => {
    const sub = await newUser()
    issuer.token = async (asked) => {
      await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${sub}')`)
      await new Promise((resolve) => setTimeout(resolve, 700))
      return gives(asked)
    }
    expect((await call('note', { token: await token({ sub }) })).code).toBe('revoked')
    expect(seen).toEqual([])
  })

  it('takes its time: the call goes, and is recorded once', async () => {
    const sub = await newUser()
    issuer.token = async (asked) => {
      await new Promise((resolve) => setTimeout(resolve, 700))
      return gives(asked)
    }
    expect((await call('note', { token: await token({ sub }) })).code).toBe('allowed')
    expect(await logOf(sub)).toHaveLength(1)
  })
})

describe('whatever rows say', () => {
  it.each([
    ['a secret of another tenant', "exchange_secret = 'EXCHANGE_GLOBEX'"],
    ['a secret for another origin', "exchange_secret = 'EXCHANGE_ELSEWHERE'"],
    ['a secret that is not there', "exchange_secret = 'EXCHANGE_NOBODY'"],
    ['an issuer that has no row', "exchange_issuer = 'https://nobody.example'"],
  ])('%s opens nothing', async (_what, change) => {
    await sql(`UPDATE servers SET ${change} WHERE name = 'crm'`)
    expect(await call('note', { token: await token({ sub: await newUser() }) })).toEqual(
      UNAVAILABLE,
    )
    expect([...exchanges, ...seen]).toEqual([])
  })

  it.each([
    ["UPDATE servers SET exchange_secret = 'SIGNING_KEYS'"],
    ["UPDATE servers SET exchange_secret = 'UPSTREAM_CRM'"],
    ['UPDATE servers SET exchange_secret = NULL'],
    ["UPDATE issuers SET token_url = 'http://crm.example/token'"],
    ['UPDATE issuers SET token_url = NULL'],
  ])('%s is refused by SQL itself', async (text) => {
    await expect(sql(text)).rejects.toThrow('CHECK constraint failed')
  })

  // A row that cannot be used is no issuer: nobody of it gets in.
  it.each([
    ['https://10.0.0.1/token'],
    ['https://169.254.169.254/latest'],
    ['https://localhost/token'],
    ['https://user:pass@issuer.example/token'],
    ['https://issuer.example/token#x'],
  ])('%s is never asked', async (url) => {
    await sql(`UPDATE issuers SET token_url = '${url}'`)
    const answer = await call('note', { token: await token({ sub: await newUser() }) })
    expect(answer.code).not.toBe('allowed')
    expect([...exchanges, ...seen]).toEqual([])
  })

  it('a revocation endpoint at another origin makes the row unusable', async () => {
    await sql("UPDATE issuers SET revocation_url = 'https://other.example/revoke'")
    expect((await call('note', { token: await token({ sub: await newUser() }) })).code).not.toBe(
      'allowed',
    )
    expect([...exchanges, ...seen]).toEqual([])
  })

  it('a token is shown to its own issuer only', async () => {
    await sql(
      `INSERT INTO issuers (tenant, url, jwks_uri, token_url) VALUES ('acme', '${PARTNER}', '${PARTNER}/jwks.json', '${PARTNER}/token')`,
      `UPDATE servers SET exchange_issuer = '${PARTNER}', exchange_secret = 'EXCHANGE_PARTNER' WHERE name = 'crm'`,
    )
    expect(await call('note', { token: await token({ sub: await newUser() }) })).toEqual(
      UNAVAILABLE,
    )
    expect([...exchanges, ...seen]).toEqual([])
  })
})

async function eventsAfterShipping(sub: string) {
  await nextLook(sub)
  return eventsOf(sub)
}

async function openTask(id: string, subject: string): Promise<void> {
  await sql(
    `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
     VALUES ('acme', '${id}', '${ISSUER}', '${subject}', 'acme-agent', 'work', '${subject}', ${Date.now() + 60_000})`,
  )
}
