import { beforeEach, describe, expect, it } from 'vitest'
import {
  claimsIn,
  eventsOf,
  exchanges,
  gives,
  issuer,
  nextLook,
  revocations,
  withExchange,
} from '../../support/worker/exchange.ts'
import { call, inThisWorld, ISSUER, newUser, seen, sql, token } from '../../support/worker/world.ts'
import {
  DOMAIN,
  REPORTER,
  STRANGER,
  trustWorkloads,
  workloadHeaders,
} from '../authentication/workload-smith.ts'

inThisWorld()
withExchange()
beforeEach(async () => {
  await trustWorkloads()
  await sql(
    "INSERT INTO policies (tenant, id, effect, agent) VALUES ('acme', 'workloads', 'allow', '*')",
    // Beside a token it is an agent of that token's issuer.
    ...[REPORTER, STRANGER].map(
      (id) => `INSERT INTO agents (tenant, issuer, id) VALUES ('acme', '${ISSUER}', '${id}')`,
    ),
  )
  issuer.token = (asked) => gives(asked, {}, { claims: { act: actorIn(asked.form) } })
})

/** As an issuer reads it: the actor is whom the token names (RFC 8693 §4.1). */
const actorIn = (form: URLSearchParams) => {
  const actor = form.get('actor_token')
  return actor === null ? undefined : { sub: claimsIn(actor)['sub'] }
}

const UNAVAILABLE = { status: 503, code: 'credential_unavailable', decision: null }
const shown = () => seen.map(({ headers }) => headers.get('authorization') ?? '')

async function beside(bearer: string, id = REPORTER) {
  const headers = await workloadHeaders(id, bearer)
  return { headers, verdict: await call('note', { token: bearer, headers }) }
}

describe('a workload that proved itself beside a token', () => {
  it('is the actor for whom the issuer is asked (RFC 8693 §2.1)', async () => {
    const bearer = await token({ sub: await newUser() })
    const { headers, verdict } = await beside(bearer)
    expect(verdict.code).toBe('allowed')
    expect(Object.fromEntries(exchanges[0]?.form ?? [])).toMatchObject({
      subject_token: bearer,
      actor_token: headers['workload-identity-token'],
      actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    })
    expect(claimsIn(shown()[0] ?? '')).toMatchObject({ act: { sub: REPORTER } })
  })

  it('shares nothing with another workload, or with a call that has none', async () => {
    const bearer = await token({ sub: await newUser() })
    await beside(bearer)
    await beside(bearer, STRANGER)
    await call('note', { token: bearer })
    expect(exchanges).toHaveLength(3)
    expect(shown().map((text) => claimsIn(text)['act'])).toEqual([
      { sub: REPORTER },
      { sub: STRANGER },
      undefined,
    ])
  })

  it.each<[string, (form: URLSearchParams) => Record<string, unknown>]>([
    ['its own document', (form) => ({ access_token: form.get('actor_token') })],
    [
      'the document under no type',
      (form) => ({ access_token: form.get('actor_token'), issued_token_type: undefined }),
    ],
  ])('never gets back %s', async (_what, members) => {
    issuer.token = (asked) => gives(asked, members(asked.form))
    const sub = await newUser()
    expect((await beside(await token({ sub }))).verdict).toEqual(UNAVAILABLE)
    await nextLook(sub)
    expect([...seen, ...revocations]).toEqual([])
  })

  it('gets none that names another actor', async () => {
    issuer.token = (asked) => gives(asked, {}, { claims: { act: { sub: STRANGER } } })
    expect((await beside(await token({ sub: await newUser() }))).verdict).toEqual(UNAVAILABLE)
    expect(seen).toEqual([])
  })

  it.each(['agent', 'subject'])('ends it where its trust domain revokes it as %s', async (kind) => {
    const sub = await newUser()
    await beside(await token({ sub }))
    await nextLook(sub)
    expect(revocations).toEqual([])
    await sql(
      `INSERT INTO revocations (tenant, issuer, kind, id) VALUES ('acme', '${DOMAIN}', '${kind}', '${REPORTER}')`,
    )
    await nextLook(sub)
    await nextLook(sub)
    expect(revocations.map(({ form }) => form.get('token'))).toEqual([
      shown()[0]?.replace('Bearer ', ''),
    ])
    expect((await eventsOf(sub)).map(({ event }) => event)).toEqual(['issued', 'ended', 'revoked'])
  })
})

describe('a workload that comes by itself', () => {
  it('is of no issuer that could be asked', async () => {
    const headers = await workloadHeaders()
    expect(await call('note', { token: null, headers })).toEqual(UNAVAILABLE)
    expect([...exchanges, ...seen]).toEqual([])
  })
})
