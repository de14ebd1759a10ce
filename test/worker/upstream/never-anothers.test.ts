import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../support/property-runs.ts'
import {
  claimsIn,
  exchanges,
  gives,
  issuer,
  nextLook,
  restart,
  withExchange,
} from '../../support/worker/exchange.ts'
import { signsForCrm } from '../../support/worker/signed.ts'
import { call, inThisWorld, newUser, seen, sql, token } from '../../support/worker/world.ts'

inThisWorld()
withExchange()

/** What happens at one moment: calls at the same time, and what else there is. */
type Moment =
  | { readonly kind: 'calls'; readonly by: readonly (readonly [user: 0 | 1, token: 0 | 1])[] }
  | { readonly kind: 'restart'; readonly user: 0 | 1 }
  | { readonly kind: 'look'; readonly user: 0 | 1 }
  | { readonly kind: 'slow'; readonly ms: readonly [number, number] }
  | { readonly kind: 'short'; readonly seconds: number }
  | { readonly kind: 'kind'; readonly credential: 'signed' | 'exchange' }

const user = fc.constantFrom<(0 | 1)[]>(0, 1)

const moment: fc.Arbitrary<Moment> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('calls' as const),
      by: fc.array(fc.tuple(user, user), { minLength: 1, maxLength: 10 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), user }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('look' as const), user }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('slow' as const),
      ms: fc.tuple(fc.nat(30), fc.nat(30)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('short' as const),
      seconds: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('kind' as const),
      credential: fc.constantFrom('signed' as const, 'exchange' as const),
    }),
  },
)

describe('two users, one client, one upstream', () => {
  it('never one’s credential on the other’s call', { timeout: 120_000 }, async () => {
    let shown = 0
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 2, maxLength: 8 }), async (moments) => {
        const users = [await newUser(), await newUser()] as const
        const tokens = await Promise.all(
          users.map((sub) => Promise.all([token({ sub }), token({ sub })])),
        )
        let delays: readonly [number, number] = [0, 0]
        let seconds = 300
        issuer.token = async (asked) => {
          const sub = claimsIn(asked.form.get('subject_token') ?? '')['sub']
          // Answers overtake each other.
          await new Promise((resolve) => setTimeout(resolve, delays[sub === users[0] ? 0 : 1]))
          return gives(asked, { expires_in: seconds })
        }
        seen.length = 0
        exchanges.length = 0
        let calls = 0
        for (const one of moments) {
          switch (one.kind) {
            case 'calls': {
              const sent = one.by.map(async ([who, which]) => {
                calls += 1
                return call('note', {
                  token: tokens[who]?.[which] ?? '',
                  args: { by: users[who], token: which },
                })
              })
              // oxlint-disable-next-line no-await-in-loop
              await Promise.all(sent)
              break
            }
            case 'restart':
              // oxlint-disable-next-line no-await-in-loop
              await restart(users[one.user])
              break
            case 'look':
              // oxlint-disable-next-line no-await-in-loop
              await nextLook(users[one.user])
              break
            case 'slow':
              delays = one.ms
              break
            case 'short':
              seconds = one.seconds
              break
            case 'kind':
              // oxlint-disable-next-line no-await-in-loop
              await (one.credential === 'signed'
                ? sql(
                    "UPDATE servers SET credential = 'signed', exchange_issuer = NULL, exchange_secret = NULL WHERE name = 'crm'",
                  ).then(signsForCrm)
                : sql(
                    `UPDATE servers SET credential = 'exchange', exchange_issuer = (SELECT url FROM issuers), exchange_secret = 'EXCHANGE_ACME' WHERE name = 'crm'`,
                  ))
          }
        }
        shown += seen.length
        expect(seen.length).toBeLessThanOrEqual(calls)
        for (const { headers, body } of seen) {
          const { params } = JSON.parse(body) as { params: { arguments: { by: string } } }
          const shown = headers.get('authorization') ?? ''
          expect(shown).toMatch(/^Bearer /)
          expect(claimsIn(shown)['sub']).toBe(params.arguments.by)
        }
        // Of one user's two tokens no exchange served the other one.
        const bySubject = exchanges.map(({ form }) => form.get('subject_token'))
        for (const one of bySubject) expect(tokens.flat()).toContain(one)
      }),
      propertyRuns(300, env),
    )
    expect(shown).toBeGreaterThan(10)
  })
})
