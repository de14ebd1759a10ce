import { createExecutionContext, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { app } from '../../../src/app.ts'
import {
  inThisWorld,
  newUser,
  ORIGIN,
  sessionKey,
  sql,
  token,
  toolCall,
  verdict,
} from '../../support/worker/world.ts'

inThisWorld()

/** A new isolate that counts its statements (`prepare`) and its readings of all rows (`batch`). */
function newIsolate() {
  const cost = { statements: 0, loads: 0 }
  const DB = new Proxy(env.DB, {
    get: (target, name) =>
      name !== 'withSession'
        ? Reflect.get(target, name).bind(target)
        : () =>
            new Proxy(target.withSession('first-primary'), {
              get(session, member) {
                if (member === 'prepare') cost.statements += 1
                if (member === 'batch') cost.loads += 1
                return Reflect.get(session, member).bind(session)
              },
            }),
  })
  const isolate = { ...env, DB } as Env
  const send = async (server: string, bearer: string | null, body: BodyInit = toolCall('note')) =>
    app.fetch(
      new Request(`${ORIGIN}/${server}/mcp`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        },
        body,
      }),
      isolate,
      createExecutionContext(),
    )
  return { cost, send, isolate }
}

const base64url = (value: unknown): string =>
  btoa(JSON.stringify(value)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/** A token that nobody signed, from an issuer that nobody knows. */
const unsigned = (iss: string): string =>
  [
    base64url({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' }),
    base64url({ iss, sub: 'x' }),
    'A'.repeat(86),
  ].join('.')

describe('what somebody without a token can make us do', () => {
  it('a call without a token costs no reading once the server is known', async () => {
    const { cost, send } = newIsolate()
    await send('crm', null)
    const before = { ...cost }
    for (let n = 0; n < 20; n += 1) expect((await send('crm', null)).status).toBe(401)
    expect(cost).toEqual(before)
  })

  it('a forged token with a made-up `kid` costs a reading a second, not one each', async () => {
    const { cost, send } = newIsolate()
    await send('crm', await token())
    const before = cost.statements
    for (let n = 0; n < 20; n += 1) {
      const forged = await token({ header: { kid: `made-up-${n}` } })
      expect((await send('crm', forged)).status).toBe(401)
    }
    expect(cost.statements - before).toBeLessThanOrEqual(2)
  })

  it('an unsigned token with a made-up issuer costs one small reading, and never loads a row', async () => {
    const { cost, send } = newIsolate()
    await send('crm', await token())
    const before = { ...cost }
    for (let n = 0; n < 20; n += 1) {
      expect((await send('crm', unsigned(`https://made-up-${n}.example`))).status).toBe(401)
    }
    expect(cost.statements - before.statements).toBe(20)
    expect(cost.loads).toBe(before.loads)
  })

  it('a flood of documents of made-up trust domains costs fifty small readings a second, and no good token its call', async () => {
    const { cost, send } = newIsolate()
    const sub = await newUser()
    await send('crm', await token({ sub }))
    const before = { ...cost }
    const made = (n: number): string =>
      [
        base64url({ alg: 'ES256', kid: 'k1' }),
        base64url({ sub: `spiffe://made-up-${n}.example/a`, aud: `${ORIGIN}/crm/mcp` }),
        'A'.repeat(86),
      ].join('.')
    const begun = Date.now()
    const flood = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => (await send('crm', made(n))).status),
    )
    // Never 401 where nobody looked: a row that was just written may know that domain.
    expect(new Set(flood)).toEqual(new Set([401, 503]))
    const seconds = Math.floor((Date.now() - begun) / 1_000) + 1
    expect(cost.statements - before.statements).toBeLessThanOrEqual(50 * seconds)
    expect(cost.loads).toBe(before.loads)
    expect((await verdict(await send('crm', await token({ sub })))).code).toBe('allowed')
  })

  it('a flood of made-up server names does not keep a cold isolate from serving', async () => {
    const { send } = newIsolate()
    await Promise.all(Array.from({ length: 60 }, (_, n) => send(`made-up-${n}`, null)))
    expect((await verdict(await send('crm', await token()))).code).toBe('allowed')
  })

  it('made-up server names are 404 or, in a flood, 503, and never a fault', async () => {
    const { send } = newIsolate()
    const statuses = await Promise.all(
      Array.from({ length: 80 }, async (_, n) => (await send(`made-up-${n}`, null)).status),
    )
    expect(statuses.filter((status) => status !== 404 && status !== 503)).toEqual([])
  })

  it('nothing is read of a body that comes without a credential', async () => {
    const { isolate } = newIsolate()
    let pulled = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1
          if (pulled === 40) controller.close()
          else controller.enqueue(new Uint8Array(64 * 1024).fill(0x20))
        },
      },
      { highWaterMark: 0 },
    )
    const request = new Request(`${ORIGIN}/crm/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    await app.fetch(request, isolate, createExecutionContext())
    expect(pulled).toBeLessThan(5)
  })
})

describe('what one subject can make a session hold', () => {
  it('refusals that differ in their arguments leave one fact', async () => {
    const { send } = newIsolate()
    const sub = await newUser()
    await sql('DELETE FROM policies')
    const bearer = await token({ sub })
    for (let n = 0; n < 30; n += 1) await send('crm', bearer, toolCall('note', { n }))
    const facts = await runInDurableObject(
      env.SESSIONS.getByName(await sessionKey(sub)),
      (_, { storage }) =>
        storage.sql
          .exec<{ fact: string }>("SELECT value AS fact FROM memory WHERE kind = 'label'")
          .toArray(),
    )
    expect(facts).toHaveLength(2)
    for (const { fact } of facts) expect(fact.length).toBeLessThan(8_000)
  })

  it('clients that nobody registered here leave nothing that grows', async () => {
    const { send } = newIsolate()
    const sub = await newUser()
    for (let n = 0; n < 40; n += 1) await send('crm', await token({ sub, client: `made-${n}` }))
    const { n } = await runInDurableObject(
      env.SESSIONS.getByName(await sessionKey(sub)),
      (_, { storage }) =>
        storage.sql
          .exec<{ n: number }>(
            "SELECT count(*) AS n FROM memory WHERE kind = 'label' AND key ->> 'scope' = 'actor'",
          )
          .one(),
    )
    expect(n).toBeLessThan(10)
  })

  it('an actor over its bound is told so, and one record says it', async () => {
    await sql("UPDATE tenants SET actor_calls_per_minute = 5 WHERE id = 'acme'")
    const { send } = newIsolate()
    const sub = await newUser()
    const bearer = await token({ sub })
    const codes: string[] = []
    for (let n = 0; n < 12; n += 1) codes.push((await verdict(await send('crm', bearer))).code)
    expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(7)
    expect(await verdict(await send('crm', await token({ sub: 'alice' })))).toMatchObject({
      code: 'allowed',
    })
  })
})
