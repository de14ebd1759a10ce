import { base64url, type JWTPayload } from 'jose'
import { describe, expect, it } from 'vitest'
import {
  AUDIENCE,
  CAEP,
  count,
  effects,
  person,
  push,
  refusedAs,
  REVOKED,
  RISC,
  seconds,
  signedSet,
  SSF,
  tell,
  transmitterKey,
  withStream,
} from '../../support/worker/signals.ts'
import { inThisWorld, ISSUER, ORIGIN, sql } from '../../support/worker/world.ts'

inThisWorld()
withStream()

describe('what it says', () => {
  /** Signed as it is, so that members may come twice. */
  async function signText(payload: string): Promise<string> {
    const header = base64url.encode('{"alg":"RS256","kid":"set-1","typ":"secevent+jwt"}')
    const input = `${header}.${base64url.encode(payload)}`
    const bytes = new TextEncoder().encode(input)
    const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', transmitterKey, bytes)
    return `${input}.${base64url.encode(new Uint8Array(signature))}`
  }

  const payload = (more = '') =>
    `{"iss":"${ISSUER}","aud":"${AUDIENCE}","jti":"j-${crypto.randomUUID()}","iat":${seconds()},` +
    `"sub_id":{"format":"iss_sub","iss":"${ISSUER}","sub":"alice"},"events":{"${REVOKED}":{}}${more}}`

  it('is signed by this test as it is', async () => {
    expect((await push(await signText(payload()))).status).toBe(202)
  })

  it.each([
    ['a second `iss`', `,"iss":"https://evil.example"`],
    ['a second `events`', `,"events":{}`],
    ['a second `sub_id`', `,"sub_id":{"format":"opaque","id":"bob"}`],
    ['an escaped second name', `,"\\u0069ss":"x"`],
  ])('%s is invalid_request', async (_, more) => {
    expect(await refusedAs(await push(await signText(payload(more))))).toEqual([
      400,
      'invalid_request',
    ])
  })

  it.each([
    ['no event', { events: {} }],
    ['two events', { events: { [REVOKED]: {}, [`${RISC}account-disabled`]: {} } }],
    ['a list of events', { events: [REVOKED] }],
    ['an event that is a text', { events: { [REVOKED]: 'x' } }],
    ['no `jti`', { jti: undefined }],
    ['an empty `jti`', { jti: '' }],
    ['a `jti` that is a number', { jti: 7 as never }],
    ['an `iat` that is a text', { iat: 'now' as never }],
    ['a negative `iat`', { iat: -1 }],
    ['a subject that is a text', { sub_id: 'alice' }],
    ['a subject without a format', { sub_id: { id: 'alice' } }],
    ['a time that is a text', { events: { [REVOKED]: { event_timestamp: 'now' } } }],
    ['a time in fractions', { events: { [REVOKED]: { event_timestamp: 1.5 } } }],
    ['`sub` besides', { sub: 'alice' }],
    ['`exp` besides', { exp: seconds() + 60 }],
    [
      'claims that are a list',
      { events: { [`${CAEP}token-claims-change`]: { claims: ['role'] } } },
    ],
    ['no claims', { events: { [`${CAEP}token-claims-change`]: { claims: {} } } }],
    [
      'a claim too long',
      { events: { [`${CAEP}token-claims-change`]: { claims: { a: 'x'.repeat(3000) } } } },
    ],
    ['no level', { events: { [`${CAEP}risk-level-change`]: {} } }],
    ['a status that is none', { events: { [`${SSF}stream-updated`]: { status: 'gone' } } }],
  ] as const)('%s is invalid_request', async (_, claims) => {
    const body = await signedSet(
      REVOKED,
      person('alice'),
      {},
      { claims: claims as unknown as JWTPayload },
    )
    expect(await refusedAs(await push(body))).toEqual([400, 'invalid_request'])
    expect(await count('signal_events')).toBe(0)
  })

  it.each([
    ['nothing', ''],
    ['no JWS', 'hello'],
    ['JSON', '{"sets":{}}'],
    ['five parts', 'a.b.c.d.e'],
    ['a line more', 'LINE'],
    ['padding', 'PADDING'],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00])],
    ['a token too long', `${'A'.repeat(17_000)}.AAAA.AAAA`],
  ])('%s is invalid_request', async (_, body) => {
    const good = await signedSet(REVOKED, person('alice'))
    const sent = body === 'LINE' ? `${good}\n` : body === 'PADDING' ? `${good}==` : body
    expect(await refusedAs(await push(sent))).toEqual([400, 'invalid_request'])
  })

  it('what is huge is not read to its end', async () => {
    expect((await push('A'.repeat(5_000_000))).status).toBe(413)
  })

  it.each([
    ['another media type', { headers: { 'content-type': 'application/json' } }, 415],
    ['a charset', { headers: { 'content-type': 'application/secevent+jwt; charset=utf-8' } }, 415],
    ['compression', { headers: { 'content-encoding': 'gzip' } }, 415],
    ['a page', { headers: { origin: 'https://evil.example' } }, 403],
    ['our own page', { headers: { origin: ORIGIN } }, 403],
    ['GET', { method: 'GET' }, 405],
    ['another host', { origin: 'http://evil.example' }, 403],
    ['a stream nobody has', { stream: 'other' }, 404],
    ['a stream by the name of a path', { stream: '..%2fidp' }, 404],
  ])('%s', async (_, options, status) => {
    expect((await push(await signedSet(REVOKED, person('alice')), options)).status).toBe(status)
    expect(await count('signal_events')).toBe(0)
  })

  it('a stream that is switched off, or that is polled, takes nothing', async () => {
    await sql('UPDATE signal_streams SET active = 0')
    expect((await push(await signedSet(REVOKED, person('alice')))).status).toBe(404)
    await sql(
      "UPDATE signal_streams SET active = 1, delivery = 'poll', poll_url = 'https://idp.example/poll', secret = 'SIGNALS_X'",
    )
    expect((await push(await signedSet(REVOKED, person('alice')))).status).toBe(404)
  })

  it('an event that nobody knows is acknowledged and kept', async () => {
    await tell('https://schemas.example/new-event', person('alice'))
    await tell('__proto__', person('alice'))
    await tell('constructor', person('alice'))
    expect(await effects()).toEqual(['unknown_event', 'unknown_event', 'unknown_event'])
  })
})
