import { env } from 'cloudflare:workers'
import { base64url } from 'jose'
import { describe, expect, it } from 'vitest'
import files from 'vectors:ssf-caep'
import { inThisWorld, ISSUER, sql, token, call } from '../../support/worker/world.ts'
import { addStream, push, seconds, signedSet, withStream } from '../../support/worker/signals.ts'

inThisWorld()
withStream()

interface SetClaims {
  readonly iss: string
  readonly aud: string | string[]
  readonly jti: string
  readonly iat: number
  readonly sub_id: { readonly format: string; readonly [member: string]: unknown }
  readonly events: Readonly<Record<string, Record<string, unknown>>>
}

const text = (name: string): string => {
  const [, content = ''] = files.find(([file]) => file === name) ?? []
  return new TextDecoder().decode(Uint8Array.from(atob(content), (char) => char.charCodeAt(0)))
}
const parsed = <T>(name: string): T => JSON.parse(text(name) || '{"sets":[]}') as T
const { sets: caep } = parsed<{ sets: { set_claims: SetClaims }[] }>('example-set-claims.json')
const { sets: risc } = parsed<{ sets: SetClaims[] }>('risc-example-set-claims.json')
const SETS: readonly SetClaims[] = [...caep.map(({ set_claims: claims }) => claims), ...risc]

/** Where an identifier says whose it is; the others are looked up, or are no business of ours. */
function issuerOf(subject: Record<string, unknown>): string {
  if (typeof subject['iss'] === 'string') return subject['iss']
  for (const member of Object.values(subject)) {
    if (typeof member === 'object' && member !== null) {
      const found = issuerOf(member as Record<string, unknown>)
      if (found !== UNNAMED) return found
    }
  }
  return UNNAMED
}
const UNNAMED = 'https://idp.example.com/'

interface Expected {
  /** Of the token that is meant. */
  readonly token?: Record<string, unknown>
  readonly sub?: string
  readonly effect: string
  /** At the next call, with the event as it is published, and as if it happened now. */
  readonly published: string
  readonly now?: string
}

const SID = 'dMTlD|1600802906337.16|16008.16'
const JTI = 'f61t6e20zdo3px56gepu8rzlsp4c1dpc0fx7'
const ended = { effect: 'end_older_tokens', published: 'allowed', now: 'token_invalid' }
const seen = { effect: 'change_claims', published: 'denied_by_policy' }

/** One row for each published set, in its order. */
const EXPECTED: readonly Expected[] = [
  { token: { sid: SID }, effect: 'end_older_tokens', published: 'token_invalid' },
  { token: { sid: SID }, effect: 'end_older_tokens', published: 'token_invalid' },
  { sub: 'jane.smith@example.com', ...ended },
  { token: { jti: JTI }, ...seen },
  { token: { jti: JTI }, ...seen },
  { effect: 'unsupported_subject', published: 'allowed' },
  { sub: 'jane.smith@example.com', effect: 'state', published: 'allowed', now: 'login_outdated' },
  { sub: 'jane.smith@example.com', effect: 'state', published: 'allowed' },
  { sub: 'jane.smith@example.com', effect: 'state', published: 'allowed', now: 'login_outdated' },
  { sub: 'owner-of-device', effect: 'state', published: 'signal_raised' },
  { sub: 'someuser@somedomain.com', effect: 'noted', published: 'allowed' },
  { sub: 'someuser@somedomain.com', effect: 'noted', published: 'allowed' },
  { sub: 'jane.doe@example.com', effect: 'state', published: 'allowed' },
  { effect: 'verified', published: 'allowed' },
  { sub: 'foo@example.com', effect: 'account', published: 'allowed' },
  { sub: 'owner-of-phone', effect: 'account', published: 'revoked' },
  {
    sub: 'user@example.com',
    effect: 'change_claims',
    published: 'allowed',
    now: 'denied_by_policy',
  },
  { sub: 'jane.smith@example.com', ...ended },
  {
    sub: 'foo@example2.com',
    effect: 'change_claims',
    published: 'allowed',
    now: 'denied_by_policy',
  },
  { effect: 'unsupported_subject', published: 'allowed' },
  { effect: 'verified', published: 'allowed' },
  { effect: 'status', published: 'allowed' },
  { sub: '7375626A656374', effect: 'state', published: 'allowed', now: 'login_outdated' },
  { sub: 'john.doe@example.com', ...ended, effect: 'end_older_tokens end_identifier' },
  { sub: 'foo@example.com', ...ended, effect: 'end_older_tokens end_identifier' },
  { sub: 'joe.smith@example.com', ...ended, effect: 'end_older_tokens state' },
]

/** The issuer, a stream of it as the example has both, and everybody whom an example could mean. */
async function standFor(set: SetClaims): Promise<string> {
  const issuer = issuerOf(set.sub_id)
  await sql(
    `INSERT INTO issuers (tenant, url, jwks_uri) VALUES ('acme', '${issuer}', '${ISSUER}/jwks.json')`,
    `INSERT INTO clients (tenant, issuer, id) VALUES ('acme', '${issuer}', 'acme-agent')`,
    ...PEOPLE.map(
      (sub) => `INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
                VALUES ('acme', '${issuer}', 'user', '${sub}', 'sales')`,
    ),
    `INSERT INTO subject_aliases (tenant, issuer, member, format, value, subject) VALUES
      ('acme', '${issuer}', 'device', 'iss_sub', 'e9297990-14d2-42ec-a4a9-4036db86509a', 'owner-of-device'),
      ('acme', '${issuer}', 'user', 'phone_number', '+1 206 555 0123', 'owner-of-phone')`,
    `INSERT INTO policies (tenant, id, effect, condition) VALUES ('acme', 'changed', 'deny',
      'has(signals.claims.role) || has(signals.claims.trusted_network) || has(signals.claims.token)')`,
  )
  await addStream('published', {
    issuer,
    transmitter: set.iss,
    audience: [set.aud].flat()[0] ?? '',
    email_is_subject: 1,
  })
  return issuer
}

const PEOPLE = ['nobody-else', ...EXPECTED.flatMap(({ sub }) => sub ?? [])].filter(
  (sub, at, all) => all.indexOf(sub) === at,
)

const send = async (set: SetClaims, more: object = {}) => {
  const claims = { ...set, jti: crypto.randomUUID(), ...more }
  return push(await signedSet('', {}, {}, { claims }), { stream: 'published' })
}

const lastEffect = async () =>
  (
    await env.DB.prepare(
      'SELECT effect FROM signal_events ORDER BY received_at DESC LIMIT 1',
    ).first<{ effect: string }>()
  )?.effect

const titles = SETS.map((set, at) => {
  const [type = ''] = Object.keys(set.events)
  return [`${at} ${type.slice(type.lastIndexOf('/') + 1)} of ${set.sub_id.format}`, at] as const
})

describe.skipIf(SETS.length === 0)('the published examples of Shared Signals', () => {
  it('are all here', () => {
    expect(SETS).toHaveLength(EXPECTED.length)
  })

  it.each(titles)('%s: accepted, with its effect at the next call', async (_, at) => {
    const [set, expected] = [SETS[at], EXPECTED[at]]
    if (set === undefined || expected === undefined) throw new Error('no such example')
    const iss = await standFor(set)
    const { sub = 'nobody-else' } = expected
    const calling = async () => {
      const iat = seconds() - 30
      const claims = { iss, iat, exp: iat + 300, ...expected.token }
      return (await call('note', { token: await token({ sub, claims }) })).code
    }
    expect(await calling()).toBe('allowed')

    const response = await send(set)
    expect([response.status, await response.text()]).toEqual([202, ''])
    expect(await lastEffect()).toBe(expected.effect)
    expect(await calling()).toBe(expected.published)

    const events = Object.fromEntries(
      Object.entries(set.events).map(([type, event]) => [
        type,
        { ...event, event_timestamp: seconds() },
      ]),
    )
    expect((await send(set, { iat: seconds(), events })).status).toBe(202)
    expect(await calling()).toBe(expected.now ?? expected.published)
  })

  it.each(titles)('%s: altered, refused with the right error', async (_, at) => {
    const set = SETS[at]
    if (set === undefined) throw new Error('no such example')
    await standFor(set)
    const alter = async (
      claims: object,
      header = {},
      afterwards = (signed: string[]) => signed,
    ): Promise<unknown> => {
      const altered = { ...set, jti: crypto.randomUUID(), ...claims }
      const signed = await signedSet('', {}, {}, { claims: altered, header })
      const body = afterwards(signed.split('.')).join('.')
      const response = await push(body, { stream: 'published' })
      expect(response.status).toBe(400)
      expect(response.headers.get('content-language')).toBe('en')
      return (await response.json<{ err: string }>()).err
    }
    expect(await alter({ aud: 'https://another.example' })).toBe('invalid_audience')
    expect(await alter({ iss: 'https://another.example' })).toBe('invalid_issuer')
    expect(await alter({}, { kid: 'another' })).toBe('invalid_key')
    const other = await signedSet('', {}, {}, { claims: { ...set, jti: 'another' } })
    const [, payload = '', signature = ''] = other.split('.')
    // What it says is another's, or its signature; or no text of a JWS any more.
    const swapped = ([header = '', , own = '']: string[]) => [header, payload, own]
    expect(await alter({}, {}, swapped)).toBe('invalid_key')
    const exchanged = ([header = '', own = '']: string[]) => [header, own, signature]
    expect(await alter({}, {}, exchanged)).toBe('invalid_key')
    expect(await alter({}, {}, (signed) => signed.slice(0, 2))).toBe('invalid_request')
    for (const alg of ['none', 'HS256', 'PS256']) {
      const renamed = ([, ...rest]: string[]) => [
        base64url.encode(JSON.stringify({ alg, kid: 'set-1', typ: 'secevent+jwt' })),
        ...rest,
      ]
      expect(await alter({}, {}, renamed)).toBe('invalid_key')
    }
    expect(await alter({ jti: undefined })).toBe('invalid_request')
    expect(await alter({ iat: 'yesterday' })).toBe('invalid_request')
    expect(await alter({ sub_id: { ...set.sub_id, format: 7 } })).toBe('invalid_request')
    expect(await alter({ toe: 1.5, events: { 'https://a.example/b': {} } })).toBe('invalid_request')
    expect(await alter({ sub: 'alice' })).toBe('invalid_request')
    expect(await alter({ exp: seconds() + 300 })).toBe('invalid_request')
    expect(await alter({ sub_id: undefined })).toBe('invalid_request')
    expect(await alter({ events: { ...set.events, 'https://a.example/b': {} } })).toBe(
      'invalid_request',
    )
    for (const typ of ['at+jwt', 'JWT', 'logout+jwt']) {
      expect(await alter({}, { typ })).toBe('invalid_request')
    }
    expect(await lastEffect()).toBeUndefined()
  })
})
