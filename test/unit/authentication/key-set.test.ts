import { describe, expect, it } from 'vitest'
import { isForAlgorithm } from '../../../src/authentication/jwk.ts'
import {
  afterFetch,
  answer,
  EMPTY,
  FAILURE_COOLDOWN_MS,
  FRESH_MS,
  LAST_GOOD_MS,
  needsFetch,
  readKeySet,
  UNKNOWN_KID_COOLDOWN_MS,
  type KeySetState,
} from '../../../src/authentication/key-set.ts'
import { readObject } from '../../../src/exact-json.ts'
import { err, ok } from '../../../src/result.ts'
import { NOW, publicJwk } from './token-smith.ts'

type Jwk = Record<string, unknown>

function read(...keys: unknown[]) {
  const document = readObject(new TextEncoder().encode(JSON.stringify({ keys })))
  if (!document.ok) throw new Error(document.error)
  return readKeySet(document.value)
}

const ec = await publicJwk('ES256')
const rsa = await publicJwk('RS256')
const okp = await publicJwk('EdDSA')
const without = (jwk: Jwk, ...names: string[]): Jwk =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name)))

describe('a key set is refused as a whole', () => {
  it.each<[string, unknown[]]>([
    ['two keys with one kid', [ec, { ...okp, kid: ec['kid'] }]],
    ['two keys with one kid, one not for signatures', [ec, { ...okp, kid: ec['kid'], use: 'enc' }]],
    ['a private EC key', [{ ...ec, d: 'AAAA' }]],
    ['a private key for encryption', [{ ...ec, d: 'AAAA', use: 'enc' }]],
    ['an RSA prime', [{ ...rsa, p: 'AAAA' }]],
    ['another RSA prime', [{ ...rsa, qi: 'AAAA' }]],
    ['a symmetric key', [{ kty: 'oct', kid: 'h', k: 'AAAA' }]],
    ['a symmetric key without value', [{ kty: 'oct', kid: 'h' }]],
    ['a private key of a new type', [{ kty: 'AKP', kid: 'm', alg: 'ML-DSA-44', priv: 'AAAA' }]],
    ['RSA of 1024 bits', [{ ...rsa, n: (rsa['n'] as string).slice(0, 171) + 'A' }]],
    ['RSA of 2047 bits', [{ ...rsa, n: `A${(rsa['n'] as string).slice(1)}` }]],
    ['RSA of 16384 bits', [{ ...rsa, n: '_'.repeat(2732) }]],
    ['RSA with e = 1', [{ ...rsa, e: 'AQ' }]],
    ['RSA with e = 2', [{ ...rsa, e: 'Ag' }]],
    ['RSA without e', [without(rsa, 'e')]],
    ['a re-spelled coordinate', [{ ...ec, x: `${(ec['x'] as string).slice(0, -1)}B` }]],
    ['a padded coordinate', [{ ...okp, x: `${String(okp['x'])}=` }]],
    ['a short coordinate', [{ ...ec, y: 'AAAA' }]],
    ['a kid that is a number', [{ ...ec, kid: 7 }]],
    ['a key that is text', ['key']],
    ['101 keys', Array.from({ length: 101 }, (_, i) => ({ ...ec, kid: `${i}` }))],
  ])('%s', (_name, keys) => {
    expect(read(...keys).ok).toBe(false)
  })

  it('without an array of keys', () => {
    for (const keys of [{}, null, 'x', undefined]) {
      const document = readObject(new TextEncoder().encode(JSON.stringify({ keys })))
      expect(document.ok && readKeySet(document.value).ok).toBe(false)
    }
  })
})

describe('a key is skipped', () => {
  it.each<[string, Jwk]>([
    ['for encryption', { ...ec, use: 'enc' }],
    ['for other operations', { ...ec, key_ops: ['encrypt'] }],
    ['with operations that are no list', { ...ec, key_ops: 'verify' }],
    ['without a name', without(ec, 'kid')],
    ['on another curve', { ...ec, crv: 'secp256k1' }],
    ['for key agreement', { kty: 'OKP', crv: 'X25519', kid: 'x', x: okp['x'] }],
    ['of a kind to come', { kty: 'AKP', kid: 'm', alg: 'ML-DSA-44', pub: 'AAAA' }],
    ['without a kind', { kid: 'n' }],
  ])('%s', (_name, jwk) => {
    const set = read(jwk, { ...rsa, kid: 'other' })
    expect(set.ok && set.value.map(({ kid }) => kid)).toEqual(['other'])
  })
})

describe('one key, one algorithm', () => {
  const only = (jwk: Jwk) => {
    const set = read(jwk)
    const [key] = set.ok ? set.value : []
    if (key === undefined) throw new Error('no key')
    return key
  }

  it('is the one that the key names', () => {
    expect(isForAlgorithm(only(rsa), 'RS256', ['PS256', 'RS256'])).toBe(true)
    expect(isForAlgorithm(only(rsa), 'PS256', ['PS256', 'RS256'])).toBe(false)
    expect(isForAlgorithm(only({ ...rsa, alg: 'RS512' }), 'RS256', ['RS256'])).toBe(false)
    expect(isForAlgorithm(only({ ...ec, alg: 'ES384' }), 'ES256', ['ES256'])).toBe(false)
  })

  it('or else the first of its issuer that fits', () => {
    const bare = only(without(rsa, 'alg'))
    expect(isForAlgorithm(bare, 'RS256', ['ES256', 'RS256', 'PS256'])).toBe(true)
    expect(isForAlgorithm(bare, 'PS256', ['ES256', 'RS256', 'PS256'])).toBe(false)
    expect(isForAlgorithm(only(without(ec, 'alg')), 'ES384', ['ES384'])).toBe(false)
  })
})

const set = (() => {
  const keys = read(ec)
  if (!keys.ok) throw new Error(keys.error)
  return keys.value
})()
const good: KeySetState = { ...EMPTY, good: { keys: set, fetchedAt: NOW } }
/** The latest fetch was for a `kid` that it did not bring. */
const missed: KeySetState = { ...good, missedAt: NOW }
const failed = (state: KeySetState, at: number) =>
  afterFetch(state, err({ kind: 'unreachable', detail: '' }), at, at, 'ES256')

describe('when to fetch', () => {
  it.each<[string, KeySetState, string, number, boolean]>([
    ['nothing is known', EMPTY, 'ES256', NOW, true],
    ['the key is fresh', good, 'ES256', NOW + FRESH_MS - 1, false],
    ['the key is old', good, 'ES256', NOW + FRESH_MS, true],
    ['an unknown kid that may be younger than the set', good, 'x', NOW + 1, true],
    ['an unknown kid, just looked for', missed, 'x', NOW + UNKNOWN_KID_COOLDOWN_MS - 1, false],
    ['an unknown kid, a while ago', missed, 'x', NOW + UNKNOWN_KID_COOLDOWN_MS, true],
    ['just failed', failed(EMPTY, NOW), 'ES256', NOW + FAILURE_COOLDOWN_MS - 1, false],
    ['failed a while ago', failed(EMPTY, NOW), 'ES256', NOW + FAILURE_COOLDOWN_MS, true],
    ['unknown kid, refresh just failed', failed(good, NOW + 60_000), 'x', NOW + 61_000, false],
    [
      'unknown kid, refresh failed a while ago',
      failed(good, NOW + 60_000),
      'x',
      NOW + 62_000,
      true,
    ],
    ['the clock was set back', good, 'ES256', NOW - 1, true],
  ])('%s', (_name, state, kid, now, expected) => {
    expect(needsFetch(state, kid, now)).toBe(expected)
  })
})

describe('what is answered', () => {
  it('keys, with how long they and their absence hold', () => {
    expect(answer(missed, 'ES256', NOW + 10_000)).toEqual({
      keys: set,
      fetchedAt: NOW,
      goodForMs: FRESH_MS - 10_000,
      miss: 'unknown',
      missForMs: 20_000,
    })
  })

  it('unknown, only after a fetch that worked', () => {
    expect(answer(good, 'x', NOW)).toMatchObject({ miss: 'unknown' })
    expect(answer(failed(good, NOW + 31_000), 'x', NOW + 31_000)).toEqual({
      unavailable: true,
      missForMs: FAILURE_COOLDOWN_MS,
    })
    expect(answer(failed(EMPTY, NOW), 'ES256', NOW)).toMatchObject({ unavailable: true })
  })

  it('last known good for kids already seen, up to a day', () => {
    const state = failed(good, NOW + LAST_GOOD_MS - 1)
    expect(answer(state, 'ES256', NOW + LAST_GOOD_MS - 1)).toMatchObject({
      keys: set,
      goodForMs: FAILURE_COOLDOWN_MS,
      miss: 'unavailable',
    })
    expect(answer(state, 'ES256', NOW + LAST_GOOD_MS)).toMatchObject({ unavailable: true })
  })

  it('nothing remembered once the issuer published what must not be', () => {
    const state = afterFetch(good, err({ kind: 'refused', detail: '' }), NOW, NOW, 'ES256')
    expect(answer(state, 'ES256', NOW)).toMatchObject({ unavailable: true })
  })

  it('a kid that was sought in vain starts the cooldown, one that was found does not', () => {
    expect(afterFetch(good, ok(set), NOW + 9, NOW + 10, 'x').missedAt).toBe(NOW + 9)
    expect(afterFetch(good, ok(set), NOW + 9, NOW + 10, 'ES256').missedAt).toBeNull()
    expect(answer(good, 'x', NOW)).toMatchObject({ miss: 'unknown', missForMs: 0 })
  })

  it('a key that was withdrawn is gone with the next set', () => {
    const state = afterFetch(good, ok([]), NOW + FRESH_MS, NOW + FRESH_MS, 'ES256')
    expect(answer(state, 'ES256', NOW + FRESH_MS)).toMatchObject({ keys: [], miss: 'unknown' })
  })
})
