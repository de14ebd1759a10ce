import { generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { describe, expect, it } from 'vitest'
import {
  createIntrospection,
  type IntrospectionParts,
} from '../../../../src/authentication/introspection/introspection.ts'
import type { Issuer } from '../../../../src/authentication/issuer.ts'
import type { KeySource } from '../../../../src/authentication/keys.ts'
import { createSecrets } from '../../../../src/secrets.ts'

const ISSUER = 'https://login.example.com'
const URL_ROW = `${ISSUER}/introspect`
const TOKEN = 'opaque-token_1'
const SECRET = 'a secret: with %, + and ü'

const issuer: Issuer = {
  tenant: 'acme',
  kind: 'oauth',
  url: ISSUER,
  jwksUri: `${ISSUER}/jwks.json`,
  algorithms: ['ES256'],
  tenantClaim: null,
  audience: null,
  maxLifetimeSeconds: 3600,
  introspection: { url: URL_ROW, secret: 'INTROSPECTION_ACME', opaque: true, jwt: false },
  login: null,
  active: true,
}

const pair = await generateKeyPair('ES256', { extractable: true })
const keys: KeySource = {
  find: async (_issuer, kid) => (kid === 'k1' ? pair.publicKey : 'unknown'),
}

const secrets = createSecrets({
  INTROSPECTION_ACME: JSON.stringify({
    tenant: 'acme',
    origin: ISSUER,
    client_id: 'sallyport',
    client_secret: SECRET,
  }),
})

interface Asked {
  readonly request: Request
  readonly init: RequestInit
}

type Answer = (request: Request) => Response | Promise<Response>

/** An issuer that answers so, what it was asked, and what the operator was told. */
function world(answer: Answer, parts: Partial<IntrospectionParts> = {}) {
  const asked: Asked[] = []
  const reports: string[] = []
  const introspection = createIntrospection({
    secrets,
    keys,
    urls: { allowLoopback: false, ownHosts: new Set(['mcp.example.com']) },
    fetch: async (url, init) => {
      const request = new Request(url, init)
      asked.push({ request: request.clone(), init })
      return answer(request)
    },
    now: Date.now,
    report: (_issuer, detail) => reports.push(detail),
    ...parts,
  })
  return { asked, reports, introspection, ask: introspection.during({}) }
}

const json = (body: unknown, init: ResponseInit = {}): Response => Response.json(body, init)
const active = { active: true, sub: 'alice', client_id: 'acme-agent' }

const UNAVAILABLE = { at: 'authenticate', reason: 'introspection_unavailable' }

describe('the question', () => {
  it('is a form with the token, and proves who asks', async () => {
    const { ask, asked } = world(() => json(active))
    expect(await ask(TOKEN, issuer)).toEqual({ ok: true, value: active })
    const [{ request, init } = { request: null, init: null }] = asked
    expect(request?.method).toBe('POST')
    expect(request?.url).toBe(URL_ROW)
    expect(init).toMatchObject({ redirect: 'manual', cache: 'no-store' })
    expect(init?.signal).toBeInstanceOf(AbortSignal)
    expect(Object.fromEntries(new URLSearchParams(await request?.text()))).toEqual({
      token: TOKEN,
      token_type_hint: 'access_token',
    })
    // RFC 6749 §2.3.1: both parts are form-encoded first.
    const basic = atob((request?.headers.get('authorization') ?? '').replace('Basic ', ''))
    const [id, secret] = basic.split(':').map((part) => new URLSearchParams(`x=${part}`).get('x'))
    expect([id, secret]).toEqual(['sallyport', SECRET])
  })

  it('is asked once in a request, and again in the next', async () => {
    const { introspection, asked } = world(() => json(active))
    const [one, other] = [{}, {}]
    await introspection.during(one)(TOKEN, issuer)
    await introspection.during(one)(TOKEN, issuer)
    expect(asked).toHaveLength(1)
    await introspection.during(other)(TOKEN, issuer)
    expect(asked).toHaveLength(2)
    await introspection.during(one)('another', issuer)
    expect(asked).toHaveLength(3)
  })

  it('is asked again where the row asks elsewhere, and once the answer is two seconds old', async () => {
    let now = 1_000_000
    const { ask, asked } = world(() => json(active), { now: () => now })
    await ask(TOKEN, issuer)
    const moved = { ...issuer.introspection, url: `${ISSUER}/moved` }
    await ask(TOKEN, { ...issuer, introspection: moved } as Issuer)
    expect(asked.map(({ request }) => request.url)).toEqual([URL_ROW, moved.url])
    now += 2_000
    await ask(TOKEN, issuer)
    expect(asked).toHaveLength(3)
  })

  it('is asked no more than 200 times a second', async () => {
    const { introspection, asked, reports } = world(() => json({ active: false }), {
      now: () => 5_000_000,
    })
    for (let at = 0; at < 250; at += 1) await introspection.during({})(`t${at}`, issuer)
    expect(asked).toHaveLength(200)
    // And the log has no line for each of the others.
    expect(reports).toEqual(Array.from({ length: 20 }, () => 'too many questions within a second'))
  })

  it("is asked for a holder while strangers' made-up tokens use up their share", async () => {
    const { introspection, asked } = world(() => json(active), { now: () => 5_000_000 })
    const both = { ...issuer, introspection: { ...issuer.introspection, jwt: true } } as Issuer
    for (let at = 0; at < 250; at += 1) await introspection.during({})(`t${at}`, both)
    // Its signature was verified before anybody was asked.
    expect(await introspection.during({})('AAAA.AAAA.AAAA', both)).toMatchObject({ ok: true })
    expect(asked).toHaveLength(201)
  })

  it("is asked for one tenant while another's share of the same issuer is used up", async () => {
    const globex = JSON.stringify({
      tenant: 'globex',
      origin: ISSUER,
      client_id: 'sallyport',
      client_secret: SECRET,
    })
    const { introspection, asked } = world(() => json(active), {
      now: () => 5_000_000,
      secrets: {
        read: (purpose, name, use) =>
          (use.tenant === 'globex' ? createSecrets({ INTROSPECTION_ACME: globex }) : secrets).read(
            purpose,
            name,
            use,
          ),
      },
    })
    for (let at = 0; at < 250; at += 1) await introspection.during({})(`t${at}`, issuer)
    const theirs = { ...issuer, tenant: 'globex' }
    expect(await introspection.during({})(TOKEN, theirs)).toMatchObject({ ok: true })
    expect(asked).toHaveLength(201)
  })

  it.each([
    ['a secret of another tenant', { tenant: 'globex' }],
    ['a secret that nobody stored', { introspection: { secret: 'INTROSPECTION_OTHER' } }],
    ['another member of the environment', { introspection: { secret: 'DB' } }],
    ['another origin', { introspection: { url: 'https://evil.example/introspect' } }],
    ['a loopback address', { introspection: { url: 'http://127.0.0.1/introspect' } }],
    ['a private address', { introspection: { url: 'https://10.0.0.1/introspect' } }],
    ['an address of our own', { introspection: { url: 'https://mcp.example.com/introspect' } }],
  ])('is never sent by a row with %s', async (_what, change) => {
    const { ask, asked, reports } = world(() => json(active))
    const introspection = {
      ...issuer.introspection,
      ...('introspection' in change && change.introspection),
    }
    const answer = await ask(TOKEN, { ...issuer, ...change, introspection } as Issuer)
    expect(answer).toEqual({ ok: false, error: UNAVAILABLE })
    expect(asked).toEqual([])
    expect(reports).toHaveLength(1)
    expect(reports[0]).not.toContain(SECRET)
  })
})

describe('the answer', () => {
  it.each([
    ['false', { active: false }],
    ['false, whatever else it says', { ...active, active: false }],
  ])('`active` %s: the token does not hold', async (_what, body) => {
    const { ask, reports } = world(() => json(body))
    expect(await ask(TOKEN, issuer)).toMatchObject({
      ok: false,
      error: { reason: 'token_invalid', fault: 'inactive' },
    })
    expect(reports).toEqual([])
  })

  const CONFUSED: readonly (readonly [string, Answer])[] = [
    ['a text for `active`', () => json({ active: 'true' })],
    ['a number for `active`', () => json({ active: 1 })],
    ['no `active`', () => json({ sub: 'alice' })],
    ['an array', () => json([active])],
    ['null', () => json(null)],
    [
      'two members of one name',
      () =>
        new Response('{"active":false,"active":true}', {
          headers: { 'content-type': 'application/json' },
        }),
    ],
    [
      'a byte order mark',
      () =>
        new Response(`\ufeff${JSON.stringify(active)}`, {
          headers: { 'content-type': 'application/json' },
        }),
    ],
    [
      'half of it',
      () => new Response('{"active":tr', { headers: { 'content-type': 'application/json' } }),
    ],
    [
      'JSON of another media type',
      () => new Response(JSON.stringify(active), { headers: { 'content-type': 'text/html' } }),
    ],
    ['no media type', () => new Response(new TextEncoder().encode(JSON.stringify(active)))],
    ['201', () => json(active, { status: 201 })],
    ['204', () => new Response(null, { status: 204 })],
    [
      '401: it is our secret that is refused',
      () => json({ error: 'invalid_client' }, { status: 401 }),
    ],
    ['403', () => json({ error: 'access_denied' }, { status: 403 })],
    ['429', () => json({}, { status: 429, headers: { 'retry-after': '60' } })],
    ['500', () => json(active, { status: 500 })],
    [
      'a redirect',
      () => new Response(null, { status: 307, headers: { location: 'https://evil.example/' } }),
    ],
    ['64 KiB and a byte', () => json({ ...active, padding: 'x'.repeat(64 * 1024) })],
    [
      'a failure of the network',
      () => {
        throw new TypeError(`cannot connect with ${SECRET}`)
      },
    ],
  ]
  it.each(CONFUSED)('%s: nobody can say now', async (_what, answer) => {
    const { ask, asked, reports } = world(answer)
    expect(await ask(TOKEN, issuer)).toEqual({ ok: false, error: UNAVAILABLE })
    expect(asked).toHaveLength(1)
    expect(reports).toHaveLength(1)
    expect(reports[0]).not.toContain(SECRET)
    expect(reports[0]).not.toContain(TOKEN)
  })

  const endless = (first: string): Response =>
    new Response(
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode(first)),
      }),
      { headers: { 'content-type': 'application/json' } },
    )

  it.each([
    ['never begins', () => new Promise<Response>(() => {})],
    ['never ends', () => endless('{"active":true')],
  ])('that %s is waited for only so long, and is given up', async (_what, answer) => {
    const { ask, asked, reports } = world(answer, { timeoutMs: 50 })
    const begun = performance.now()
    expect(await ask(TOKEN, issuer)).toEqual({ ok: false, error: UNAVAILABLE })
    expect(performance.now() - begun).toBeLessThan(500)
    expect(reports).toEqual(['no answer in time'])
    expect(asked[0]?.init.signal?.aborted).toBe(true)
  })
})

describe('a signed answer (RFC 9701)', () => {
  const sign = async (claims: JWTPayload, header: object = {}): Promise<Response> => {
    const jwt = await new SignJWT({
      iss: ISSUER,
      aud: 'sallyport',
      iat: Math.floor(Date.now() / 1000),
      token_introspection: active,
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'token-introspection+jwt', ...header })
      .sign(pair.privateKey)
    return new Response(jwt, { headers: { 'content-type': 'application/token-introspection+jwt' } })
  }

  it('counts as the plain one does', async () => {
    expect(await world(() => sign({})).ask(TOKEN, issuer)).toEqual({ ok: true, value: active })
    const inactive = world(() => sign({ token_introspection: { active: false } }))
    expect(await inactive.ask(TOKEN, issuer)).toMatchObject({ error: { fault: 'inactive' } })
  })

  it.each([
    ['for another client', { aud: 'somebody-else' }, {}],
    ['of another issuer', { iss: 'https://evil.example' }, {}],
    ['without a time', { iat: undefined }, {}],
    ['that lapsed', { exp: 1 }, {}],
    ['with the members at the top', { token_introspection: undefined, ...active }, {}],
    ['of another type', {}, { typ: 'at+jwt' }],
    ['by an unknown key', {}, { kid: 'k2' }],
    ['with a text for `active`', { token_introspection: { active: 'true' } }, {}],
  ])('%s is none', async (_what, claims, header) => {
    const { ask, reports } = world(() => sign(claims as JWTPayload, header))
    expect(await ask(TOKEN, issuer)).toEqual({ ok: false, error: UNAVAILABLE })
    expect(reports).toHaveLength(1)
  })

  it('by a key of somebody else is none', async () => {
    const other = await generateKeyPair('ES256')
    const jwt = await new SignJWT({ token_introspection: active })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'token-introspection+jwt' })
      .setIssuer(ISSUER)
      .setAudience('sallyport')
      .setIssuedAt()
      .sign(other.privateKey)
    const { ask } = world(
      () =>
        new Response(jwt, { headers: { 'content-type': 'application/token-introspection+jwt' } }),
    )
    expect(await ask(TOKEN, issuer)).toEqual({ ok: false, error: UNAVAILABLE })
  })

  it('without a signature is none', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { iss: ISSUER, aud: 'sallyport', iat: 1, token_introspection: active }
    const bare = `${part({ alg: 'none', typ: 'token-introspection+jwt', kid: 'k1' })}.${part(claims)}.`
    const { ask } = world(
      () =>
        new Response(bare, { headers: { 'content-type': 'application/token-introspection+jwt' } }),
    )
    expect(await ask(TOKEN, issuer)).toEqual({ ok: false, error: UNAVAILABLE })
  })
})
