import { env } from 'cloudflare:workers'
import { generateKeyPair, exportJWK, type JWK } from 'jose'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { createVerifier } from '../../../examples/verifier/verifier.ts'
import { app } from '../../../src/app.ts'
import { logOf } from '../../support/worker/log.ts'
import { newIsolate } from '../../support/worker/isolate.ts'
import { lastShown, PASSWORD, signsForCrm } from '../../support/worker/signed.ts'
import { inThisWorld, newUser, ORIGIN, seen, UPSTREAM } from '../../support/worker/world.ts'

inThisWorld()
beforeEach(async () => {
  await signsForCrm()
})

const newKey = async (kid: string): Promise<JWK> => ({
  ...(await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)),
  kid,
  alg: 'ES256',
})

const sealing = (kid: string): JWK => ({
  kty: 'oct',
  k: btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', ''),
  kid,
})

const withKeys = (signing: readonly JWK[], sealed: readonly JWK[]): Partial<Env> =>
  ({
    SIGNING_KEYS: JSON.stringify({ keys: signing }),
    SEALING_KEYS: JSON.stringify({ keys: sealed }),
  }) as Partial<Env>

async function keysOf(changed: Partial<Env>): Promise<JSONWebKeySet> {
  const response = await app.request(`${ORIGIN}/.well-known/jwks.json`, {}, { ...env, ...changed })
  return response.json()
}

async function activeIn(changed: Partial<Env>, token: string): Promise<unknown> {
  const response = await app.request(
    `${ORIGIN}/introspect`,
    {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`crm:${encodeURIComponent(PASSWORD)}`)}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token }).toString(),
    },
    { ...env, ...changed },
  )
  return ((await response.json()) as { active?: unknown }).active
}

const kidOf = (token: string): unknown =>
  (JSON.parse(atob((token.split('.')[0] ?? '').replaceAll('-', '+').replaceAll('_', '/'))) as JWK)
    .kid

describe('keys that rotate', () => {
  it('overlap: what was signed before is good until the old key goes', async () => {
    const [old, next] = [await newKey('old'), await newKey('next')]
    const [oldSeal, nextSeal] = [sealing('old'), sealing('next')]
    const before = withKeys([old], [oldSeal])
    // Published first, so that servers know it when it begins to sign.
    const announced = withKeys([old, next], [oldSeal, nextSeal])
    const after = withKeys([next, old], [nextSeal, oldSeal])
    const gone = withKeys([next], [nextSeal])
    await newIsolate(before)('note', await newUser())
    const signedBefore = lastShown()
    expect(kidOf(signedBefore)).toBe('old')
    await newIsolate(announced)('note', await newUser())
    expect(kidOf(lastShown())).toBe('old')
    const kids = ({ keys }: JSONWebKeySet) => keys.map(({ kid }) => kid)
    expect(kids(await keysOf(announced))).toEqual(['old', 'next'])
    await newIsolate(after)('note', await newUser())
    const { headers, body } = seen.at(-1) ?? { headers: new Headers(), body: '' }
    expect(kidOf(lastShown())).toBe('next')
    // A server that fetched the keys before the change knows the new one already.
    const verify = createVerifier({
      issuer: ORIGIN,
      audience: UPSTREAM,
      keys: createLocalJWKSet(await keysOf(announced)),
    })
    expect(await verify(headers.get('authorization'), body)).toMatchObject({ ok: true })
    expect(await activeIn(after, signedBefore)).toBe(true)
    expect(await activeIn(after, lastShown())).toBe(true)
    expect(await activeIn(gone, signedBefore)).toBe(false)
    expect(kids(await keysOf(gone))).toEqual(['next'])
  })

  it('may keep an old one by its public members alone', async () => {
    const [old, next] = [await newKey('old'), await newKey('next')]
    const seal = sealing('s')
    await newIsolate(withKeys([old], [seal]))('note', await newUser())
    const { d: _, ...publicPart } = old
    expect(await activeIn(withKeys([next, publicPart], [seal]), lastShown())).toBe(true)
  })
})

/** jose signs with no less than 2048 bits, and says so at each signature. */
async function shortKey(): Promise<JWK> {
  const modulus = { modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) }
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', ...modulus }
  const pair = (await crypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  return { ...(await exportJWK(pair.privateKey)), kid: 'a', alg: 'RS256' }
}

describe('keys that are not what they should be', () => {
  const cases: readonly [string, () => Promise<Partial<Env>>][] = [
    ['none', async () => ({ SIGNING_KEYS: undefined, SEALING_KEYS: undefined }) as Partial<Env>],
    ['no JSON', async () => ({ SIGNING_KEYS: 'x' }) as Partial<Env>],
    ['an empty set', async () => withKeys([], [sealing('s')])],
    [
      'one without a name',
      async () => withKeys([{ ...(await newKey('a')), kid: '' }], [sealing('s')]),
    ],
    [
      'two with one name',
      async () => withKeys([await newKey('a'), await newKey('a')], [sealing('s')]),
    ],
    [
      'a first one that is public',
      async () => {
        const { d: _, ...publicPart } = await newKey('a')
        return withKeys([publicPart], [sealing('s')])
      },
    ],
    [
      'a secret for a signature',
      async () => withKeys([{ ...sealing('a'), alg: 'HS256' }], [sealing('s')]),
    ],
    [
      'one for another algorithm',
      async () => withKeys([{ ...(await newKey('a')), alg: 'ES384' }], [sealing('s')]),
    ],
    [
      'one to encrypt with',
      async () => withKeys([{ ...(await newKey('a')), use: 'enc' }], [sealing('s')]),
    ],
    ['a first one that is too short', async () => withKeys([await shortKey()], [sealing('s')])],
    [
      'a private part of another public one',
      async () => {
        const [one, other] = [await newKey('a'), await newKey('a')]
        return withKeys([{ ...one, d: other.d ?? '' }], [sealing('s')])
      },
    ],
    ['no key to seal with', async () => withKeys([await newKey('a')], [])],
    [
      'a key that is too short',
      async () => withKeys([await newKey('a')], [{ kty: 'oct', k: 'abc', kid: 's' }]),
    ],
  ]
  it.each(cases)('%s: 503, nothing goes, nothing is told of them', async (_what, changed) => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const sub = await newUser()
    const environment = await changed()
    const answer = await newIsolate(environment)('note', sub)
    expect(answer).toMatchObject({ status: 503, code: 'credential_unavailable', decision: null })
    expect(seen).toEqual([])
    expect(await logOf(sub)).toEqual([])
    const said = JSON.stringify(warned.mock.calls)
    const secrets = [...JSON.stringify(environment).matchAll(/"[dk]\\":\\"([^"\\]+)/g)]
    expect(secrets.filter(([, secret]) => said.includes(secret ?? ''))).toEqual([])
    const { keys } = await keysOf(environment)
    expect(JSON.stringify(keys)).not.toMatch(/"(?:d|k)":/)
  })
})
