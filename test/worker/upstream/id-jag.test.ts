import { describe, expect, it } from 'vitest'
import {
  claimsIn,
  EXCHANGED,
  exchanges,
  gives,
  issuer,
  PARTNER,
  withExchange,
} from '../../support/worker/exchange.ts'
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

const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'

describe('an identity assertion for the issuer of another house (ID-JAG)', () => {
  const assertion = (
    claims: Record<string, unknown> = {},
    members: Record<string, unknown> = {},
  ) => {
    issuer.token = async (asked) => {
      if (asked.url === `${PARTNER}/token`) {
        return gives(
          asked,
          { issued_token_type: undefined },
          {
            sub: 'theirs-7',
            claims: { iss: PARTNER, aud: UPSTREAM },
          },
        )
      }
      const jag = {
        header: { typ: 'oauth-id-jag+jwt' },
        claims: { aud: PARTNER, aud_sub: 'theirs-7', ...claims },
      }
      return gives(asked, { issued_token_type: ID_JAG, token_type: 'N_A', ...members }, jag)
    }
    return sql(
      `INSERT INTO issuers (tenant, url, jwks_uri, token_url) VALUES ('acme', '${PARTNER}', '${PARTNER}/jwks.json', '${PARTNER}/token')`,
      `UPDATE servers SET exchange_grant = 'id-jag', exchange_issuer = '${PARTNER}',
         exchange_secret = 'EXCHANGE_PARTNER', assertion_secret = 'EXCHANGE_ACME' WHERE name = 'crm'`,
    )
  }

  it('is asked of the caller’s own issuer, and turned into a token there', async () => {
    await assertion()
    const bearer = await token({ sub: await newUser() })
    expect((await call('note', { token: bearer })).code).toBe('allowed')
    const [first, second] = exchanges
    expect(first?.url).toBe(`${ISSUER}/token`)
    expect(Object.fromEntries(first?.form ?? [])).toMatchObject({
      requested_token_type: ID_JAG,
      subject_token: bearer,
      audience: PARTNER,
      resource: UPSTREAM,
    })
    expect(second?.url).toBe(`${PARTNER}/token`)
    expect(Object.fromEntries(second?.form ?? [])).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    })
    expect([...(second?.form.values() ?? [])]).not.toContain(bearer)
    expect(claimsIn(shownLast())).toMatchObject({ iss: PARTNER, sub: 'theirs-7' })
  })

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['about somebody else', { sub: 'eve' }, {}],
    ['for another issuer', { aud: 'https://other.example' }, {}],
    ['for several', { aud: [PARTNER, 'https://other.example'] }, {}],
    ['of another type', {}, { issued_token_type: EXCHANGED }],
    ['that calls itself a bearer token', {}, { token_type: 'Bearer' }],
    ['with another subject there', { aud_sub: 'eve' }, {}],
  ])('%s is not passed on, or its token not used', async (_what, claims, members) => {
    await assertion(claims, members)
    expect(await call('note', { token: await token({ sub: await newUser() }) })).toEqual(
      UNAVAILABLE,
    )
    expect(seen).toEqual([])
  })
})
