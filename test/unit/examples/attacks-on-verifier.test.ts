import fc from 'fast-check'
import { createLocalJWKSet, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { UsedTokens } from '../../../examples/verifier/replay.ts'
import { canonicalJson, readStrictJson } from '../../../examples/verifier/strict-json.ts'
import { createVerifier, type VerifierOptions } from '../../../examples/verifier/verifier.ts'
import { ALGORITHMS, type Algorithm } from '../../../src/authentication/issuer.ts'
import { canonical } from '../../../src/mcp/canonical.ts'
import { readJson } from '../../../src/mcp/json.ts'
import { messageDetail } from '../../../src/upstream/credentials/digest.ts'

const ISSUER = 'https://mcp.example.com'
const AUDIENCE = 'https://crm.example.com/mcp'
const NOW = 1_800_000_000_000
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const published = { ...(await exportJWK(publicKey)), kid: 'a', alg: 'ES256', use: 'sig' }

const call = (params: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
const BODY = call({ name: 'send', arguments: { to: 'a' } })

async function claimsFor(body: string, issuer = ISSUER) {
  const read = readJson(body)
  if (!read.ok) throw new Error('no message')
  const now = NOW / 1000
  return {
    iss: issuer,
    aud: AUDIENCE,
    sub: 'alice',
    client_id: 'app',
    tenant: 'acme',
    jti: 'd-1',
    iat: now,
    exp: now + 60,
    authorization_details: [{ ...(await messageDetail(read.value, AUDIENCE)) }],
  }
}

async function signed(body = BODY, claims: object = {}, issuer = ISSUER): Promise<string> {
  const token = await new SignJWT({ ...(await claimsFor(body, issuer)), ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'a', typ: 'at+jwt' })
    .sign(privateKey)
  return `Bearer ${token}`
}

const verifier = (options: Partial<VerifierOptions> = {}) =>
  createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    now: () => NOW,
    keys: createLocalJWKSet({ keys: [published] }),
    ...options,
  })

describe('what goes beside the arguments of a call', () => {
  const beside = (params: object) => call({ name: 'send', arguments: { to: 'a' }, ...params })
  const answered = beside({ requestState: 's-1', inputResponses: { ok: { action: 'decline' } } })

  it('is covered: answers to a question, a state, a task', async () => {
    expect(await verifier()(await signed(answered), answered)).toMatchObject({ ok: true })
    for (const other of [
      answered.replace('decline', 'accept'),
      answered.replace('s-1', 's-2'),
      beside({ requestState: 's-1' }),
      BODY,
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await verifier()(await signed(answered), other)).toMatchObject({ ok: false })
    }
    for (const more of [beside({ task: { ttl: 1 } }), beside({ __proto: 1 }), answered]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await verifier()(await signed(), more)).toMatchObject({ ok: false, status: 401 })
    }
  })

  it('is not covered where it says nothing of what is done', async () => {
    const other = beside({ _meta: { progressToken: 7 } }).replace('"id":1', '"id":2')
    expect(await verifier()(await signed(), other)).toMatchObject({ ok: true })
  })

  it('is read once for every form of params', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom('x', '__proto__', 'task', '_meta', 'a'), fc.jsonValue()),
        fc.dictionary(fc.constantFrom('x', '__proto__', 'task', '_meta', 'a'), fc.jsonValue()),
        async (one, other) => {
          const [given, changed] = [beside(one), beside(other)]
          const rest = (body: string) => {
            const { params } = JSON.parse(body) as { params: Record<string, unknown> }
            delete params['_meta']
            const read = readJson(JSON.stringify(params))
            return read.ok ? canonical(read.value) : null
          }
          const { ok } = await verifier()(await signed(given), changed)
          expect(ok).toBe(rest(given) === rest(changed))
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('whose server it is', () => {
  const mine = () => verifier({ tenant: 'acme' })
  it('may be said, where several tenants could name one upstream', async () => {
    expect(await mine()(await signed(), BODY)).toMatchObject({ ok: true })
    const theirs = await signed(BODY, { tenant: 'globex' })
    expect(await mine()(theirs, BODY)).toMatchObject({ ok: false, status: 401 })
    expect(await verifier()(theirs, BODY)).toMatchObject({ ok: true, caller: { tenant: 'globex' } })
    const nobodys = await signed(BODY, { tenant: undefined, sub: ISSUER, client_id: ISSUER })
    expect(await mine()(nobodys, BODY)).toMatchObject({ ok: false, status: 401 })
  })
})

describe('keys', () => {
  const serving = async (answer: RequestListener, use: (origin: string) => Promise<void>) => {
    const server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }
  const asked = (issuer: string) => createVerifier({ issuer, audience: AUDIENCE, now: () => NOW })
  const json =
    (body: unknown): RequestListener =>
    (_, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
    }

  it.each<[string, RequestListener]>([
    ['an error', (_, response) => void response.writeHead(503).end()],
    ['another address', (_, response) => void response.writeHead(302, { location: '/x' }).end()],
    ['a page', (_, response) => void response.end('<html>')],
    ['no set', json({ keys: 'none' })],
    ['a list', json([])],
    ['a broken connection', (request) => void request.socket.destroy()],
  ])('that come as %s: nothing can be said of the token', async (_what, answer) => {
    await serving(answer, async (origin) => {
      const token = await signed(BODY, {}, origin)
      expect(await asked(origin)(token, BODY)).toMatchObject({ ok: false, status: 503 })
    })
  })

  it('are asked for once, however many names of keys come', async () => {
    let fetched = 0
    const answer = json({ keys: [published] })
    await serving(
      (request, response) => {
        fetched += 1
        answer(request, response)
      },
      async (origin) => {
        const verify = asked(origin)
        expect(await verify(await signed(BODY, {}, origin), BODY)).toMatchObject({ ok: true })
        for (let kid = 0; kid < 20; kid += 1) {
          // oxlint-disable-next-line no-await-in-loop
          const token = await new SignJWT(await claimsFor(BODY, origin))
            .setProtectedHeader({ alg: 'ES256', kid: `k-${kid}`, typ: 'at+jwt' })
            .sign(privateKey)
          // oxlint-disable-next-line no-await-in-loop
          expect(await verify(`Bearer ${token}`, BODY)).toMatchObject({ ok: false, status: 401 })
        }
        expect(fetched).toBe(1)
      },
    )
  })

  it.each(Object.keys(ALGORITHMS) as Algorithm[])('of %s are taken', async (alg) => {
    const pair = await generateKeyPair(alg, { extractable: true })
    const keys = createLocalJWKSet({
      keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'a', alg }],
    })
    const token = await new SignJWT(await claimsFor(BODY))
      .setProtectedHeader({ alg, kid: 'a', typ: 'at+jwt' })
      .sign(pair.privateKey)
    expect(await verifier({ keys })(`Bearer ${token}`, BODY)).toMatchObject({ ok: true })
  })

  it('that are public sign nothing', async () => {
    const secrets = [await exportSPKI(publicKey), JSON.stringify(published), published.x ?? '']
    for (const secret of secrets) {
      // oxlint-disable-next-line no-await-in-loop
      const token = await new SignJWT(await claimsFor(BODY))
        .setProtectedHeader({ alg: 'HS256', kid: 'a', typ: 'at+jwt' })
        .sign(new TextEncoder().encode(secret.padEnd(32, '.')))
      // oxlint-disable-next-line no-await-in-loop
      expect(await verifier()(`Bearer ${token}`, BODY)).toMatchObject({ ok: false, status: 401 })
    }
  })

  it('that a token brings along are not looked at', async () => {
    const own = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(own.publicKey)
    for (const header of [{ jwk }, { jku: 'https://evil.example/keys' }, { crit: ['x'], x: 1 }]) {
      // oxlint-disable-next-line no-await-in-loop
      const token = await new SignJWT(await claimsFor(BODY))
        .setProtectedHeader({ alg: 'ES256', kid: 'a', typ: 'at+jwt', ...header } as never)
        .sign(own.privateKey, { crit: { x: true } })
      // oxlint-disable-next-line no-await-in-loop
      expect(await verifier()(`Bearer ${token}`, BODY)).toMatchObject({ ok: false, status: 401 })
    }
  })
})

describe('what was used', () => {
  it('is forgotten once it is over, and not before', () => {
    let now = 0
    const used = new UsedTokens(() => now)
    expect(used.use('a', 65_000)).toBe(true)
    for (now = 0; now < 65_000; now += 1_000) expect(used.use('a', 65_000)).toBe(false)
    now = 80_000
    expect(used.use('b', now + 65_000)).toBe(true)
    expect(used.use('a', now + 65_000)).toBe(true)
  })

  it('is one of many at the same time, also where the answer comes late', async () => {
    const verify = verifier({
      introspection: {
        name: 'crm',
        password: 'p',
        fetch: async () => {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
          return Response.json({ active: true, jti: 'd-1' })
        },
      },
    })
    const token = await signed()
    const all = await Promise.all(Array.from({ length: 20 }, () => verify(token, BODY)))
    expect(all.filter(({ ok }) => ok)).toHaveLength(1)
  })
})

describe('a number', () => {
  const digits = (max: number) =>
    fc.array(fc.constantFrom(...'0123456789'.split('')), { minLength: 1, maxLength: max })
  const written = fc
    .record({
      sign: fc.constantFrom('', '-'),
      whole: fc.oneof(fc.constant(['0']), digits(22)),
      fraction: fc.option(digits(22)),
      exponent: fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'E-', 'e-'), fc.nat(400))),
    })
    .map(({ sign, whole, fraction, exponent }) =>
      [
        sign,
        whole.join('').replace(/^0+(?=\d)/, ''),
        fraction === null ? '' : `.${fraction.join('')}`,
        exponent?.join('') ?? '',
      ].join(''),
    )

  it('is read here as at Sallyport, however it is written', () => {
    fc.assert(
      fc.property(written, (text) => {
        const theirs = readJson(`[${text}]`)
        expect(canonicalJson(readStrictJson(`[${text}]`))).toBe(
          theirs.ok ? canonical(theirs.value) : null,
        )
      }),
      { numRuns: 5_000 },
    )
  })
})
