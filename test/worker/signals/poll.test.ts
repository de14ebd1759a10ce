import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { JWTPayload } from 'jose'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SignalPoll } from '../../../src/durable-objects/signal-poll.ts'
import worker from '../../../src/index.ts'
import { receiverOf } from '../../../src/signals/parts.ts'
import { pollStream, type Polled } from '../../../src/signals/poll.ts'
import { openStream, type Receiver } from '../../../src/signals/receiver.ts'
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { behaviour, inThisWorld, newUser, sql } from '../../support/worker/world.ts'
import {
  addStream,
  CAEP,
  callAfter,
  person,
  seconds,
  signedSet,
  withStream,
} from '../../support/worker/signals.ts'

inThisWorld()
withStream()

const URL_OF_POLL = 'https://transmitter.example/poll'
const SECRET = {
  tenant: 'acme',
  origin: 'https://transmitter.example',
  authorization: 'Bearer p0ll',
}

beforeEach(() =>
  addStream('polled', { delivery: 'poll', poll_url: URL_OF_POLL, secret: 'SIGNALS_POLL' }),
)

/** A transmitter that keeps what is not acknowledged (RFC 8936 §2.4). */
class Transmitter {
  readonly waiting = new Map<string, string>()
  readonly errors: Record<string, { err: string }> = {}
  readonly asked: { readonly body: Record<string, unknown>; readonly request: Request }[] = []
  batch = 50

  async add(
    type: string,
    subject: object,
    event: object = {},
    jti = crypto.randomUUID() as string,
  ) {
    this.waiting.set(jti, await signedSet(type, subject, event, { claims: { jti } }))
    return jti
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const request = new Request(url, init)
    const body = await request.clone().json<Record<string, unknown>>()
    this.asked.push({ body, request })
    for (const jti of (body['ack'] as string[] | undefined) ?? []) this.waiting.delete(jti)
    const errors = (body['setErrs'] ?? {}) as Record<string, { err: string }>
    for (const [jti, error] of Object.entries(errors)) {
      this.errors[jti] = error
      this.waiting.delete(jti)
    }
    const most = Math.min(this.batch, Number(body['maxEvents']))
    const sets = Object.fromEntries([...this.waiting].slice(0, most))
    return Response.json({ sets, moreAvailable: this.waiting.size > most })
  }
}

type Answering = (url: string, init: RequestInit) => Promise<Response>

async function poll(fetching: Answering, more: Partial<Receiver> = {}) {
  const own = { ...env, SIGNALS_POLL: JSON.stringify(SECRET) } as Env
  const receiver = { ...receiverOf(own), ...more }
  const stream = await openStream(receiver, 'polled')
  if (!stream.ok) throw new Error(stream.error.reason)
  return pollStream(receiver, stream.value, fetching, 300)
}

const got = (polled: Partial<Polled>) => ({
  ok: true,
  value: { stored: 0, repeated: 0, refused: 0, put_off: 0, ...polled },
})

describe('a round of polling', () => {
  it('takes what waits, acknowledges it when it is durable, and the next call feels it', async () => {
    const sub = await newUser()
    const idp = new Transmitter()
    await idp.add(`${CAEP}session-revoked`, person(sub), { event_timestamp: seconds() - 10 })
    expect(await poll(idp.fetch)).toEqual(got({ stored: 1 }))
    expect(await callAfter(sub, 30)).toBe('token_invalid')
    expect(idp.waiting.size).toBe(0)
    const [first, last] = idp.asked
    expect(first?.request.headers.get('authorization')).toBe('Bearer p0ll')
    expect(first?.body).toEqual({ maxEvents: 50, returnImmediately: true })
    expect(last?.body['maxEvents']).toBe(0)
    expect(await poll(idp.fetch)).toEqual(got({}))
  })

  it('goes on while there is more', async () => {
    const idp = new Transmitter()
    idp.batch = 7
    for (let n = 0; n < 30; n += 1) await idp.add(`${CAEP}session-presented`, person('alice'))
    expect(await poll(idp.fetch)).toEqual(got({ stored: 30 }))
    expect(idp.waiting.size).toBe(0)
  })

  it('tells what it refuses, each with its own error', async () => {
    const idp = new Transmitter()
    const set = (claims: JWTPayload, header = {}) =>
      signedSet(`${CAEP}session-revoked`, person('alice'), {}, { claims, header })
    idp.waiting.set('a', await set({ jti: 'a', aud: 'other' }))
    idp.waiting.set('b', await set({ jti: 'b', iss: 'other' }))
    idp.waiting.set('c', await set({ jti: 'c', iat: seconds() - 120 }, { kid: 'other' }))
    idp.waiting.set('d', await set({ jti: 'another' }))
    idp.waiting.set('e', 'no set at all')
    idp.waiting.set('f', 7 as never)
    idp.waiting.set('g', await set({ jti: 'g' }))
    expect(await poll(idp.fetch)).toEqual(got({ stored: 1, refused: 6 }))
    expect(Object.entries(idp.errors).map(([jti, { err }]) => [jti, err])).toEqual([
      ['a', 'invalid_audience'],
      ['b', 'invalid_issuer'],
      ['c', 'invalid_key'],
      ['d', 'invalid_request'],
      ['e', 'invalid_request'],
      ['f', 'invalid_request'],
    ])
  })

  it('acknowledges nothing that it could not write', async () => {
    const idp = new Transmitter()
    await idp.add(`${CAEP}session-revoked`, person('alice'))
    const broken = new Proxy(env.DB, {
      get: (target, name) => {
        if (name === 'batch') return () => Promise.reject(new Error('D1_ERROR'))
        const own = Reflect.get(target, name)
        return typeof own === 'function' ? own.bind(target) : own
      },
    })
    expect(await poll(idp.fetch, { database: broken })).toEqual(got({ put_off: 1 }))
    expect(idp.waiting.size).toBe(1)
    expect(await poll(idp.fetch)).toEqual(got({ stored: 1 }))
  })

  it('knows what it stored when its acknowledgement was lost', async () => {
    const idp = new Transmitter()
    await idp.add(`${CAEP}session-revoked`, person('alice'))
    const lossy: Answering = async (url, init) => {
      if (JSON.stringify(init.body).includes('ack')) throw new Error('lost')
      return idp.fetch(url, init)
    }
    expect(await poll(lossy)).toEqual({ ok: false, error: 'the connection failed' })
    expect(await poll(idp.fetch)).toEqual(got({ repeated: 1 }))
    expect(idp.waiting.size).toBe(0)
  })

  it('does not take an event whose name is a trap', async () => {
    const idp = new Transmitter()
    await idp.add(`${CAEP}session-presented`, person('alice'), {}, '__proto__')
    const answer = `{"sets":{"__proto__":"${idp.waiting.get('__proto__')}"},"moreAvailable":false}`
    const first: Answering = async (_, init) =>
      JSON.stringify(init.body).includes('ack')
        ? Response.json({ sets: {} })
        : new Response(answer, { headers: { 'content-type': 'application/json' } })
    expect(await poll(first)).toEqual(got({ stored: 1 }))
  })

  const answers =
    (body: BodyInit | null, init: ResponseInit = {}): Answering =>
    async () =>
      new Response(body, { headers: { 'content-type': 'application/json' }, ...init })

  it.each([
    ['garbage', answers('<html>')],
    ['a list', answers('[]')],
    ['no sets', answers('{"sets":[]}')],
    ['a member twice', answers('{"sets":{},"sets":{"a":"b"}}')],
    ['a number for moreAvailable', answers('{"sets":{},"moreAvailable":1}')],
    ['HTML', answers('{"sets":{}}', { headers: { 'content-type': 'text/html' } })],
    ['an error', answers('{"sets":{}}', { status: 500 })],
    ['a redirect', async () => Response.redirect('https://evil.example/', 307)],
    ['too much', answers(`{"sets":{"a":"${'x'.repeat(1_100_000)}"}}`)],
    ['nothing at all', () => new Promise<Response>(() => {})],
    [
      'a body that never ends',
      answers(
        new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('{')) }),
      ),
    ],
    ['a broken connection', () => Promise.reject(new Error('reset'))],
  ] as [string, Answering][])('%s brings nothing and ends in time', async (_, fetching) => {
    const seen: string[] = []
    const polled = await poll((url, init) => {
      seen.push(`${init.redirect} ${url}`)
      return fetching(url, init)
    })
    expect(polled.ok).toBe(false)
    expect(seen).toEqual([`manual ${URL_OF_POLL}`])
    const row = await env.DB.prepare('SELECT count(*) AS n FROM signal_events').first()
    expect(row).toEqual({ n: 0 })
  })

  it('never ends with a transmitter that always has more', async () => {
    const idp = new Transmitter()
    const endless: Answering = async (url, init) => {
      await idp.add(`${CAEP}session-presented`, person('alice'))
      const answer = await (await idp.fetch(url, init)).json<object>()
      return Response.json({ ...answer, moreAvailable: true })
    }
    const polled = await poll(endless)
    expect(polled.ok && polled.value.stored).toBe(20)
  })

  it('shows its secret to nobody but the origin in it', async () => {
    await sql(
      "UPDATE signal_streams SET poll_url = 'https://evil.example/poll' WHERE id = 'polled'",
    )
    const asked = vi.fn<Answering>()
    expect(await poll(asked)).toEqual({ ok: false, error: 'the secret is for another origin' })
    expect(asked).not.toHaveBeenCalled()
  })

  it.each(['https://10.0.0.1/poll', 'https://localhost/poll', 'https://a:b@idp.example/poll'])(
    'never asks %s',
    async (url) => {
      await sql(`UPDATE signal_streams SET poll_url = '${url}' WHERE id = 'polled'`)
      const receiver = {
        ...receiverOf(env),
        urls: { allowLoopback: false, ownHosts: new Set<string>() },
      }
      expect(await openStream(receiver, 'polled')).toEqual({
        ok: false,
        error: { reason: 'unavailable' },
      })
    },
  )
})

describe('an answer to a poll', () => {
  const heard = async () =>
    (await env.DB.prepare("SELECT * FROM signal_stream_states WHERE stream = 'polled'").all())
      .results.length

  /** The object itself, with its secret deployed. */
  async function round(idp: Transmitter): Promise<void> {
    const world = vi.mocked(fetch).getMockImplementation()
    vi.mocked(fetch).mockImplementation((input, init) =>
      input === URL_OF_POLL ? idp.fetch(input, init ?? {}) : (world?.(input, init) as never),
    )
    await runInDurableObject(env.SIGNAL_POLLS.getByName('polled'), async (_, state) => {
      await state.storage.put('stream', 'polled')
      const own = new SignalPoll(state, { ...env, SIGNALS_POLL: JSON.stringify(SECRET) } as Env)
      await own.alarm()
      await state.storage.deleteAlarm()
    })
  }

  it('that is empty is a sign of life', async () => {
    await round(new Transmitter())
    expect(await heard()).toBe(1)
  })

  it('that could not be verified is none, and is told again', async () => {
    await sql("UPDATE signal_streams SET jwks_uri = 'https://issuer.example/down.json'")
    behaviour.jwks = () => new Response('down', { status: 500 })
    const idp = new Transmitter()
    await idp.add(`${CAEP}session-revoked`, person('alice'))
    await round(idp)
    expect(idp.asked).toHaveLength(1)
    expect([idp.waiting.size, await heard()]).toEqual([1, 0])
  })

  it('that had to be refused is none', async () => {
    const idp = new Transmitter()
    idp.waiting.set(
      'a',
      await signedSet(`${CAEP}session-revoked`, person('a'), {}, { claims: { aud: 'other' } }),
    )
    await round(idp)
    expect([Object.keys(idp.errors), await heard()]).toEqual([['a'], 0])
  })
})

describe('the clock', () => {
  const tick = async () => {
    const context = createExecutionContext()
    worker.scheduled({} as never, env, context)
    await waitOnExecutionContext(context)
  }
  const object = () => env.SIGNAL_POLLS.getByName('polled')

  it('has every polled stream at work, once, and none that was switched off', async () => {
    await tick()
    await tick()
    const alarm = () => runInDurableObject(object(), (_, state) => state.storage.getAlarm())
    expect(await alarm()).not.toBeNull()
    // Its secret is not deployed here: it comes again later.
    expect(await runDurableObjectAlarm(object())).toBe(true)
    expect(await alarm()).toBeGreaterThan(Date.now() + 20_000)
    await sql("UPDATE signal_streams SET active = 0 WHERE id = 'polled'")
    await runDurableObjectAlarm(object())
    expect(await alarm()).toBeNull()
    await tick()
    expect(await alarm()).toBeNull()
  })
})
