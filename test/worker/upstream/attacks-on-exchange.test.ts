import { runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import {
  claimsIn,
  EXCHANGED,
  eventsOf,
  exchanges,
  gives,
  issuer,
  nextLook,
  objectOf,
  PARTNER,
  revocations,
  withExchange,
} from '../../support/worker/exchange.ts'
import { call, inThisWorld, ISSUER, newUser, seen, sql, token } from '../../support/worker/world.ts'

inThisWorld()
withExchange()

const UNAVAILABLE = { status: 503, code: 'credential_unavailable', decision: null }

const taken = () => revocations.map(({ url, form }) => [url, form.get('token')])

describe('the client’s own token, given back as something else', () => {
  it.each<[string, Record<string, unknown>]>([
    ['of no type', { issued_token_type: undefined }],
    ['bound to a key', { token_type: 'DPoP' }],
    ['with a refresh token', { refresh_token: 'standing-access' }],
    ['for longer', { expires_in: 31_536_000 }],
  ])('%s, goes nowhere and is not ours to take back', async (_what, members) => {
    issuer.token = (asked) =>
      gives(asked, { access_token: asked.form.get('subject_token'), ...members })
    const sub = await newUser()
    expect(await call('note', { token: await token({ sub }) })).toEqual(UNAVAILABLE)
    await nextLook(sub)
    expect([...seen, ...revocations]).toEqual([])
  })
})

describe('what the caller’s issuer gives in place of an assertion', () => {
  const partnered = () =>
    sql(
      `INSERT INTO issuers (tenant, url, jwks_uri, token_url, revocation_url)
         VALUES ('acme', '${PARTNER}', '${PARTNER}/jwks.json', '${PARTNER}/token', '${PARTNER}/revoke')`,
      `UPDATE servers SET exchange_grant = 'id-jag', exchange_issuer = '${PARTNER}',
         exchange_secret = 'EXCHANGE_PARTNER', assertion_secret = 'EXCHANGE_ACME' WHERE name = 'crm'`,
    )

  it('is taken back there, and the other house never sees it', async () => {
    await partnered()
    let access = ''
    issuer.token = async (asked) => {
      const answer = await gives(asked)
      access = ((await answer.clone().json()) as { access_token: string }).access_token
      return answer
    }
    const sub = await newUser()
    expect(await call('note', { token: await token({ sub }) })).toEqual(UNAVAILABLE)
    await nextLook(sub)
    expect(taken()).toEqual([[`${ISSUER}/revoke`, access]])
    expect(revocations[0]?.authorization).toBe(`Basic ${btoa('sallyport:c')}`)
  })

  it('is left alone where it is the client’s own token', async () => {
    await partnered()
    issuer.token = (asked) => gives(asked, { access_token: asked.form.get('subject_token') })
    const sub = await newUser()
    expect(await call('note', { token: await token({ sub }) })).toEqual(UNAVAILABLE)
    await nextLook(sub)
    expect(revocations).toEqual([])
    expect(exchanges.map(({ url }) => url)).toEqual([`${ISSUER}/token`])
  })
})

describe('a token for somebody else who has the same name', () => {
  const ofTenant = (tenant: string | undefined) => {
    issuer.token = (asked) => gives(asked, {}, { claims: { tenant } })
    return sql("UPDATE issuers SET tenant_claim = 'tenant'")
  }
  const calls = async (claims: Record<string, unknown> = {}) =>
    call('note', {
      token: await token({ sub: await newUser(), claims: { tenant: 'acme', ...claims } }),
    })

  it('in another tenant of one issuer is not used', async () => {
    await ofTenant('globex')
    expect(await calls()).toEqual(UNAVAILABLE)
    expect(seen).toEqual([])
  })

  it.each([['acme'], [undefined]])('in tenant %s is', async (tenant) => {
    await ofTenant(tenant)
    expect((await calls()).code).toBe('allowed')
  })

  it.each<[string, string, unknown]>([
    ['another agent', 'bot', { sub: 'mail-bot' }],
    ['an agent, where none acts', '', { sub: 'mail-bot' }],
    ['somebody without a name', 'bot', {}],
    ['a text', 'bot', 'bot'],
  ])('through %s is not used', async (_what, agent, act) => {
    issuer.token = (asked) => gives(asked, {}, { claims: { act } })
    const options = agent === '' ? {} : { agent }
    expect(
      await call('note', { token: await token({ sub: await newUser(), ...options }) }),
    ).toEqual(UNAVAILABLE)
    expect(seen).toEqual([])
  })

  it.each<[string, unknown]>([
    ['its agent', { sub: 'bot' }],
    ['its client', { sub: 'acme-agent', act: { sub: 'bot' } }],
    ['Sallyport, which asked for it', { sub: 'sallyport', act: { sub: 'bot' } }],
  ])('through %s is', async (_what, act) => {
    issuer.token = (asked) => gives(asked, {}, { claims: { act } })
    const bearer = await token({ sub: await newUser(), agent: 'bot' })
    expect((await call('note', { token: bearer })).code).toBe('allowed')
  })
})

describe('people whose names are nearly one', () => {
  it.each([
    ['ren\u00e9', 'rene\u0301'],
    ['a","b', 'a"'],
    ['null', '\u00a0null'],
    ['alice', 'Alice'],
    ['a\u200bb', 'ab'],
  ])('%j and %j share nothing', async (...names) => {
    for (const sub of names) {
      // oxlint-disable-next-line no-await-in-loop
      await sql(
        `INSERT OR IGNORE INTO role_assignments (tenant, issuer, holder_kind, holder, role)
         VALUES ('acme', '${ISSUER}', 'user', '${sub}', 'sales')`,
      )
    }
    const both = await Promise.all(names.map((sub) => token({ sub })))
    const answers = await Promise.all(both.map((bearer) => call('note', { token: bearer })))
    expect(answers.map(({ code }) => code)).toEqual(['allowed', 'allowed'])
    expect(exchanges).toHaveLength(2)
    const subjects = seen.map(({ headers }) => claimsIn(headers.get('authorization') ?? '')['sub'])
    expect(new Set(subjects).size).toBe(2)
  })
})

describe('a scope under another name', () => {
  it.each<[string, unknown, string]>([
    ['wider', ['crm.call', 'crm.admin'], 'credential_unavailable'],
    ['wider, as a text', 'crm.call crm.admin', 'credential_unavailable'],
    ['of no form', [7], 'credential_unavailable'],
    ['what was asked for', ['crm.call'], 'allowed'],
  ])('%s', async (_what, scp, code) => {
    issuer.token = (asked) => gives(asked, {}, { claims: { scp } })
    expect((await call('note', { token: await token({ sub: await newUser() }) })).code).toBe(code)
  })
})

describe('an object that may die at any moment', () => {
  it('has an alarm before a token can exist', async () => {
    const sub = await newUser()
    const alarms: (number | null)[] = []
    issuer.token = async (asked) => {
      alarms.push(
        await runInDurableObject(await objectOf(sub), (_, { storage }) => storage.getAlarm()),
      )
      // It may go off while the issuer still thinks.
      await nextLook(sub)
      alarms.push(
        await runInDurableObject(await objectOf(sub), (_, { storage }) => storage.getAlarm()),
      )
      return gives(asked)
    }
    expect((await call('note', { token: await token({ sub }) })).code).toBe('allowed')
    expect(alarms).toEqual([expect.any(Number), expect.any(Number)])
  })

  it('ends what another age of it kept, and goes on', async () => {
    const sub = await newUser()
    await call('note', { token: await token({ sub }) })
    await call('note', { token: await token({ sub }) })
    await runInDurableObject(await objectOf(sub), (_, { storage }) => {
      storage.sql.exec(
        `UPDATE credentials
         SET about = json_remove(json_set(about, '$.context.version', 0), '$.context.credential')
         WHERE id = (SELECT min(id) FROM credentials)`,
      )
    })
    await nextLook(sub)
    expect(revocations).toHaveLength(1)
    const left = await runInDurableObject(await objectOf(sub), (_, { storage }) =>
      storage.sql.exec<{ state: string }>('SELECT state FROM credentials').toArray(),
    )
    expect(left).toEqual([{ state: 'live' }])
  })
})

describe('an issuer that hangs when it is told', () => {
  it(
    'holds up no look at other tokens, and hears of all of its own',
    { timeout: 30_000 },
    async () => {
      const sub = await newUser()
      for (let number = 0; number < 4; number += 1) {
        // oxlint-disable-next-line no-await-in-loop
        await call('note', { token: await token({ sub }) })
      }
      issuer.revoke = () => new Promise(() => undefined)
      await sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'subject', '${sub}')`)
      const began = Date.now()
      await nextLook(sub)
      expect(Date.now() - began).toBeLessThan(4_500)
      // Each has its turn, the first one not before the last.
      await nextLook(sub)
      expect(new Set(revocations.map(({ form }) => form.get('token'))).size).toBe(
        revocations.length,
      )
      issuer.revoke = () => new Response(null, { status: 200 })
      await vi.waitFor(
        async () => {
          const events = (await eventsOf(sub)).map(({ event }) => event)
          expect(events.filter((event) => event === 'revoked')).toHaveLength(4)
        },
        { timeout: 15_000, interval: 200 },
      )
    },
  )
})

describe('claims that only look like a token of the issuer', () => {
  it.each<[string, (text: string) => string]>([
    ['a member twice', (text) => text.replace('{', '{"sub":"eve",')],
    ['a name that ends in a blank', (text) => text.replace(/"sub":"([^"]+)"/, '"sub":"$1 "')],
    ['an issuer with a slash', (text) => text.replace(ISSUER, `${ISSUER}/`)],
    ['an end that is no whole second', (text) => text.replace(/"exp":(\d+)/, '"exp":$1.5')],
  ])('%s', async (_what, change) => {
    issuer.token = async (asked) => {
      const answer = (await (await gives(asked)).json()) as { access_token: string }
      const [header, , signature] = answer.access_token.split('.')
      const claims = change(JSON.stringify(claimsIn(answer.access_token)))
      const payload = btoa(claims).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
      return Response.json({ ...answer, access_token: `${header}.${payload}.${signature}` })
    }
    expect(await call('note', { token: await token({ sub: await newUser() }) })).toEqual(
      UNAVAILABLE,
    )
    expect(seen).toEqual([])
    expect(exchanges[0]?.form.get('subject_token_type')).toBe(EXCHANGED)
  })
})
