import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, expect, it, vi } from 'vitest'
import { app } from '../../../src/app.ts'
import {
  CAEP,
  callAfter,
  count,
  effects,
  person,
  push,
  REVOKED,
  RISC,
  seconds,
  signedSet,
  SSF,
  tell,
  withStream,
} from '../../support/worker/signals.ts'
import { forgetEverything } from '../../support/worker/isolate.ts'
import { behaviour, inThisWorld, newUser, ORIGIN, sql } from '../../support/worker/world.ts'

inThisWorld()
withStream()

describe('when it happened', () => {
  it('an event of the future ends no token that has yet to be made', async () => {
    const sub = await newUser()
    await tell(REVOKED, person(sub), { event_timestamp: seconds() + 86_400 })
    await tell(REVOKED, person(sub), {}, { claims: { iat: 15_203_800_012 } })
    expect(await callAfter(sub, 30)).toBe('token_invalid')
    expect(await callAfter(sub, -2)).toBe('allowed')
  })

  it('an older event never takes back a newer one', async () => {
    const sub = await newUser()
    await tell(REVOKED, person(sub), { event_timestamp: seconds() - 10 })
    await tell(REVOKED, person(sub), { event_timestamp: seconds() - 60 })
    expect(await callAfter(sub, 30)).toBe('token_invalid')
    expect(await callAfter(sub, 5)).toBe('allowed')
  })

  it('of two at one moment the worse counts, in both orders', async () => {
    for (const order of [
      ['HIGH', 'LOW'],
      ['LOW', 'HIGH'],
    ]) {
      const sub = await newUser()
      const event_timestamp = seconds() - 10
      for (const level of order) {
        const event = { current_level: level, event_timestamp }
        await tell(`${CAEP}risk-level-change`, person(sub), event)
      }
      expect(await callAfter(sub)).toBe('signal_raised')
    }
  })
})

describe('the same event again', () => {
  it('is acknowledged, and changes nothing', async () => {
    const sub = await newUser()
    const at = seconds() - 20
    const closed = await signedSet(
      `${RISC}account-disabled`,
      person(sub),
      {},
      { claims: { iat: at } },
    )
    const later = { claims: { iat: at + 5 } }
    const opened = await signedSet(`${RISC}account-enabled`, person(sub), {}, later)
    expect((await push(closed)).status).toBe(202)
    await sql('DELETE FROM revocations')
    expect((await push(closed)).status).toBe(202)
    expect(await count('revocations')).toBe(0)
    expect((await push(opened)).status).toBe(202)
    expect(await count('signal_events')).toBe(2)
    expect(await callAfter(sub)).toBe('allowed')
  })

  it("another event under the same `jti` is not the first one's", async () => {
    const sub = await newUser()
    const claims = { jti: 'one-and-only' }
    await tell(`${SSF}verification`, person(sub), { state: 'x' }, { claims })
    await tell(`${RISC}account-disabled`, person(sub), {}, { claims })
    expect(await effects()).toEqual(['verified'])
    expect(await callAfter(sub)).toBe('allowed')
  })

  it('a hundred at once are one', async () => {
    const sub = await newUser()
    const set = await signedSet(REVOKED, person(sub), { event_timestamp: seconds() - 10 })
    const answers = await Promise.all(Array.from({ length: 60 }, () => push(set)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    expect(await count('signal_events')).toBe(1)
    expect(await callAfter(sub, 30)).toBe('token_invalid')
  })

  it('is remembered for 14 days, whatever SQL says', async () => {
    await tell(REVOKED, person('alice'))
    await expect(sql('DELETE FROM signal_events')).rejects.toThrow('14 days')
    await expect(sql("UPDATE signal_events SET effect = 'x'")).rejects.toThrow('never changed')
    const columns =
      'tenant, stream, jti_digest, event_type, subject, event_at, received_at, effect, receipt'
    const old = (days: number, digit: string) =>
      `INSERT INTO signal_events (${columns}) VALUES ('acme', 'idp', '${digit.repeat(64)}', 't', '{}', 0,
       ${Date.now() - days * 86_400_000}, 'noted', '${crypto.randomUUID()}')`
    await sql(old(13.9, 'a'), old(14.1, 'b'))
    await expect(sql(`DELETE FROM signal_events WHERE jti_digest GLOB 'aaaa*'`)).rejects.toThrow(
      '14 days',
    )
    await sql(`DELETE FROM signal_events WHERE jti_digest GLOB 'bbbb*'`)
    const before = await env.DB.prepare('SELECT * FROM signal_events ORDER BY jti_digest').all()
    await sql(old(1, 'a').replace('INSERT', 'INSERT OR REPLACE'))
    const after = await env.DB.prepare('SELECT * FROM signal_events ORDER BY jti_digest').all()
    expect(after.results).toEqual(before.results)
  })

  it('long after its row was cleared away, opens no account that was closed later', async () => {
    const sub = await newUser()
    const long = Math.floor(Date.now() / 1000) - 20 * 86_400
    await tell(`${RISC}account-disabled`, person(sub))
    await tell(`${RISC}account-enabled`, person(sub), {}, { claims: { iat: long } })
    expect(await callAfter(sub)).toBe('revoked')
  })

  it('a verification that was held back does not make a stream look alive', async () => {
    await sql("UPDATE signal_streams SET max_silence_s = 60, on_silence = 'deny', created_at = 0")
    const sub = await newUser()
    expect(await callAfter(sub)).toBe('signals_silent')
    await tell(`${SSF}verification`, person(sub), {}, { claims: { iat: seconds() - 120 } })
    expect(await callAfter(sub)).toBe('signals_silent')
    await tell(`${SSF}verification`, person(sub))
    expect(await callAfter(sub)).toBe('allowed')
  })
})

describe('202 only if it is durable', () => {
  const set = () => signedSet(REVOKED, person('alice'))
  const withDatabase = async (DB: D1Database, body: string): Promise<Response> =>
    app.fetch(
      new Request(`${ORIGIN}/events/idp`, {
        method: 'POST',
        headers: { 'content-type': 'application/secevent+jwt' },
        body,
      }),
      { ...env, DB },
      createExecutionContext(),
    )
  /** Batches are written so; every reading goes through a session. */
  const database = (batch: D1Database['batch'], more: Partial<D1Database> = {}): D1Database =>
    new Proxy(env.DB, {
      get(target, name) {
        if (name === 'batch') return batch
        const own = more[name as keyof D1Database] ?? Reflect.get(target, name)
        return typeof own === 'function' ? own.bind(target) : own
      },
    })

  it('D1 fails before the write: 503, and told again it takes effect', async () => {
    const body = await set()
    const broken = database(() => Promise.reject(new Error('D1_ERROR: down')))
    const response = await withDatabase(broken, body)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await count('signal_events')).toBe(0)
    expect((await push(body)).status).toBe(202)
    expect(await count('revocations')).toBe(1)
  })

  it('D1 fails after the write: 503, and told again it is known', async () => {
    const body = await set()
    const lost = database(async (statements) => {
      await env.DB.batch(statements)
      throw new Error('D1_ERROR: connection lost')
    })
    expect((await withDatabase(lost, body)).status).toBe(503)
    expect(await count('signal_events')).toBe(1)
    expect((await push(body)).status).toBe(202)
    expect(await count('revocations')).toBe(1)
  })

  it('one statement of it fails: nothing of it stays', async () => {
    const body = await set()
    await sql(
      "CREATE TRIGGER fails BEFORE INSERT ON revocations BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    expect((await push(body)).status).toBe(503)
    expect(await count('signal_events')).toBe(0)
    await sql('DROP TRIGGER fails')
    expect((await push(body)).status).toBe(202)
  })

  it('D1 hangs: 503 in time', { timeout: 15_000 }, async () => {
    const hung = database(() => new Promise(() => {}))
    expect((await withDatabase(hung, await set())).status).toBe(503)
  })

  it('D1 cannot be read: 503', async () => {
    const unread = database(() => Promise.reject(new Error('never')), {
      withSession: () => {
        throw new Error('D1_ERROR: down')
      },
    } as never)
    expect((await withDatabase(unread, await set())).status).toBe(503)
  })

  it('its key is new, and somebody asked for a made-up one just before: 503, and then taken', async () => {
    const pair = await generateKeyPair('RS256', { extractable: true })
    const signed = (kid: string, iat = seconds()) =>
      signedSet(
        REVOKED,
        person('alice'),
        {},
        { key: pair.privateKey, header: { kid }, claims: { iat } },
      )
    await push(await signed('made-up'))
    const published = behaviour.jwks
    const own = { ...(await exportJWK(pair.publicKey)), kid: 'set-2', alg: 'RS256', use: 'sig' }
    behaviour.jwks = async (request) => {
      const { keys } = await (await published(request)).json<{ keys: object[] }>()
      return Response.json({ keys: [...keys, own] })
    }
    const told = await signed('set-2')
    expect((await push(told)).status).toBe(503)
    // Of what was told long ago it is known.
    const old = await push(await signed('never', seconds() - 120))
    expect([old.status, (await old.json<{ err: string }>()).err]).toEqual([400, 'invalid_key'])
    // After half a minute the keys are asked for again. (An isolate counts by its own clock.)
    const later = Date.now() + 31_000
    vi.spyOn(Date, 'now').mockImplementation(() => later)
    await forgetEverything()
    expect((await push(told)).status).toBe(202)
  })

  it('the keys cannot be had: 503, never a refusal that loses the event', async () => {
    await sql("UPDATE signal_streams SET jwks_uri = 'https://issuer.example/down.json'")
    behaviour.jwks = () => new Response('down', { status: 500 })
    expect((await push(await set())).status).toBe(503)
  })
})

describe('a flood', () => {
  /** An isolate of its own, that counts how often it reads. */
  function counted() {
    let readings = 0
    const counting = new Proxy(env.DB, {
      get(target, name) {
        if (name === 'withSession') readings += 1
        const own = Reflect.get(target, name)
        return typeof own === 'function' ? own.bind(target) : own
      },
    })
    const own = { ...env, DB: counting }
    const send = async (body: string, stream = 'idp'): Promise<Response> =>
      app.fetch(
        new Request(`${ORIGIN}/events/${stream}`, {
          method: 'POST',
          headers: { 'content-type': 'application/secevent+jwt' },
          body,
        }),
        own,
        createExecutionContext(),
      )
    return { send, readings: () => readings }
  }

  it('under names that are made up keeps nobody out, in an isolate that has just begun', async () => {
    const { send, readings } = counted()
    const { privateKey } = await generateKeyPair('RS256')
    const bad = await signedSet(REVOKED, person('alice'), {}, { key: privateKey })
    const good = await signedSet(REVOKED, person('alice'))
    vi.spyOn(Date, 'now').mockReturnValue(Date.now())
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, n) => send(bad, `made-up-${n}`)),
    )
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(200)
    expect(readings()).toBeLessThanOrEqual(101)
    expect((await send(good)).status).toBe(202)
  })

  it('of well-formed events without a key costs no more readings than its bound', async () => {
    const { privateKey } = await generateKeyPair('RS256')
    const bad = await signedSet(REVOKED, person('alice'), {}, { key: privateKey })
    const { send, readings } = counted()
    expect((await send(await signedSet(REVOKED, person('alice')))).status).toBe(202)
    vi.spyOn(Date, 'now').mockReturnValue(Date.now())
    const before = readings()
    const answers = await Promise.all(Array.from({ length: 300 }, () => send(bad)))
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(200)
    expect(readings() - before).toBeLessThanOrEqual(100)
    // The transmitter itself is heard all the same.
    expect((await send(await signedSet(REVOKED, person('alice')))).status).toBe(202)
  })
})
