import { describe, expect, it } from 'vitest'
import { app } from '../../../src/app.ts'
import { env } from 'cloudflare:workers'
import { createExecutionContext } from 'cloudflare:test'
import { foundLeaks } from '../../support/worker/client-credentials.ts'
import { exchanges, withExchange } from '../../support/worker/exchange.ts'
import { signsForCrm } from '../../support/worker/signed.ts'
import {
  call,
  inThisWorld,
  newUser,
  post,
  RESOURCE,
  seen,
  sql,
  token,
  toolCall,
  UPSTREAM,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

/** Every place but the one that a credential belongs to. */
const elsewhere = (secret: string): Record<string, string> => ({
  cookie: `session=${secret}`,
  'sallyport-task': secret,
  'proxy-authorization': `Bearer ${secret}`,
  'x-api-key': secret,
  'x-forwarded-access-token': secret,
  'x-forwarded-for': secret,
  'txn-token': secret,
  'cf-access-jwt-assertion': secret,
  'mcp-session-id': secret,
  'last-event-id': secret,
  'user-agent': secret,
  referer: `https://client.example/?access_token=${secret}`,
  forwarded: `for=${secret}`,
  via: secret,
  te: 'trailers',
  trailer: 'authorization',
  authorisation: secret,
})

const KINDS: readonly (readonly [string, () => Promise<void>])[] = [
  ['none', async () => undefined],
  ['signed', signsForCrm],
  [
    'secret',
    () =>
      sql(
        "UPDATE servers SET credential = 'secret', credential_secret = 'UPSTREAM_CRM' WHERE name = 'crm'",
      ),
  ],
]

describe('a credential of the client that comes in another place', () => {
  it.each(KINDS)('reaches no server that is shown `%s`', async (_kind, setUp) => {
    await setUp()
    const secret = `secret-${crypto.randomUUID()}`
    const bearer = await token({ sub: await newUser() })
    for (const [name, value] of Object.entries(elsewhere(secret))) {
      // Refused or allowed: what is sent has nothing of it.
      // oxlint-disable-next-line no-await-in-loop
      await post(toolCall('note'), { token: bearer, headers: { [name]: value } })
    }
    expect(seen.length).toBeGreaterThan(8)
    for (const { headers, body } of seen) {
      expect(JSON.stringify([...headers])).not.toContain(secret)
      expect(body).not.toContain(secret)
    }
  })

  it('is not read from the query, and the query goes nowhere', async () => {
    const bearer = await token({ sub: await newUser() })
    const inQuery = { token: bearer, query: `?access_token=${bearer}` }
    expect((await post(toolCall('note'), inQuery)).status).toBe(400)
    await post(toolCall('note'), { token: bearer, query: `?key=${bearer}` })
    expect(seen.map(({ body }) => body.includes(bearer))).not.toContain(true)
  })
})

describe('what watches over all of these tests', () => {
  withExchange()

  it('notices a token that was shown to the application itself, and one that nobody noted', async () => {
    const opaque = `opaque-${crypto.randomUUID()}`
    const request = new Request(RESOURCE, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${opaque}` },
      body: toolCall('note'),
    })
    await verdict(await app.fetch(request, env, createExecutionContext()))
    const unnoted = await token({ shown: false })
    for (const headers of [{ 'x-any': opaque }, { authorization: `Bearer ${unnoted}` }]) {
      // Past Sallyport, as it would be if it leaked.
      // oxlint-disable-next-line no-await-in-loop
      await fetch(UPSTREAM, { method: 'POST', headers, body: toolCall('note') })
    }
    expect(foundLeaks()).toHaveLength(2)
    expect(foundLeaks()).toEqual([])
  })

  it('takes nothing else for one', async () => {
    expect((await call('note', { token: await token({ sub: await newUser() }) })).code).toBe(
      'allowed',
    )
    expect(exchanges).toHaveLength(1)
    expect(foundLeaks()).toEqual([])
  })
})
