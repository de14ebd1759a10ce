import { describe, expect, it } from 'vitest'
import { KeyHolder } from '../../../src/authentication/key-holder.ts'
import type { FetchFault, GoodSet, KeySetReply } from '../../../src/authentication/key-set.ts'
import { readKeySet } from '../../../src/authentication/key-set.ts'
import { createKeySource } from '../../../src/authentication/keys.ts'
import type { PublicJwk } from '../../../src/authentication/jwk.ts'
import { readObject } from '../../../src/exact-json.ts'
import { err, ok, type Result } from '../../../src/result.ts'
import { issuerRow, NOW, publicJwk } from './token-smith.ts'

const jwks = JSON.stringify({ keys: [await publicJwk('ES256'), await publicJwk('RS256')] })
const document = readObject(new TextEncoder().encode(jwks))
const read = document.ok ? readKeySet(document.value) : document
if (!read.ok) throw new Error(read.error)
const set = read.value
const down = err<FetchFault>({ kind: 'unreachable', detail: 'down' })
const request = { uri: issuerRow.jwksUri, allowLoopback: false, wantKid: 'ES256' }

/** A whole deployment in one process: an issuer, the object, one isolate, and one clock. */
function deployment() {
  const world = {
    now: NOW,
    fetches: 0,
    asked: 0,
    issuer: ok(set) as Result<readonly PublicJwk[], FetchFault>,
    hold: Promise.resolve(),
    saved: undefined as GoodSet | null | undefined,
    objectDown: false,
  }
  const holder = new KeyHolder({
    fetchSet: async () => {
      world.fetches += 1
      await world.hold
      return world.issuer
    },
    save: async (good) => {
      world.saved = good
    },
    report: () => {},
    now: () => world.now,
  })
  const isolate = () =>
    createKeySource({
      ask: async (asked) => {
        world.asked += 1
        if (world.objectDown) throw new Error('overloaded')
        return structuredClone(await holder.keys(asked))
      },
      allowLoopback: false,
      now: () => world.now,
      timeoutMs: 30,
    })
  return { world, holder, isolate }
}

describe('the object', () => {
  it('lets one fetch serve all who wait', async () => {
    const { world, holder } = deployment()
    const release = Promise.withResolvers<void>()
    world.hold = release.promise
    const all = Array.from({ length: 50 }, () => holder.keys(request))
    release.resolve()
    for (const reply of await Promise.all(all)) expect(reply).toHaveProperty('keys')
    expect(world.fetches).toBe(1)
  })

  it('does not wait for ever for a fetch that was lost', async () => {
    const { world, holder } = deployment()
    const release = Promise.withResolvers<void>()
    world.hold = release.promise
    const lost = holder.keys(request)
    world.hold = Promise.resolve()
    world.now += 6_001
    expect(await holder.keys(request)).toHaveProperty('fetchedAt', NOW + 6_001)
    release.resolve()
    expect(await lost).toHaveProperty('fetchedAt', NOW + 6_001)
  })

  it('asks a failing issuer at most every two seconds, and recovers as quickly', async () => {
    const { world, holder } = deployment()
    world.issuer = down
    for (let i = 0; i < 40; i++) {
      expect(await holder.keys(request)).toHaveProperty('unavailable')
      world.now += 100
    }
    expect(world.fetches).toBe(2)
    world.issuer = ok(set)
    expect(await holder.keys(request)).toHaveProperty('keys')
  })

  it('asks for made-up kids at most every 30 s', async () => {
    const { world, holder } = deployment()
    for (let i = 0; i < 120; i++) {
      await holder.keys({ ...request, wantKid: `made-up-${i}` })
      world.now += 1_000
    }
    expect(world.fetches).toBe(4)
  })

  it('keeps the last good set for its successor, and forgets one that went bad', async () => {
    const { world, holder } = deployment()
    await holder.keys(request)
    expect(world.saved?.fetchedAt).toBe(NOW)
    const successor = deployment()
    successor.world.issuer = down
    successor.world.now = NOW + 3_600_000
    if (world.saved) successor.holder.restore(world.saved)
    expect(await successor.holder.keys(request)).toHaveProperty('keys')
    successor.world.issuer = err({ kind: 'refused', detail: 'a key is private' })
    successor.world.now += 2_000
    expect(await successor.holder.keys(request)).toHaveProperty('unavailable')
    expect(successor.world.saved).toBeNull()
  })
})

describe('an isolate', () => {
  it('asks once, then finds keys by itself until they are five minutes old', async () => {
    const { world, isolate } = deployment()
    const keys = isolate()
    for (let i = 0; i < 10; i++) {
      expect(await keys.find(issuerRow, 'ES256', 'ES256')).toBeInstanceOf(CryptoKey)
      expect(await keys.find(issuerRow, 'RS256', 'RS256')).toBeInstanceOf(CryptoKey)
    }
    expect(world.asked).toBe(1)
    world.now += 299_999
    await keys.find(issuerRow, 'ES256', 'ES256')
    expect(world.asked).toBe(1)
    world.now += 1
    await keys.find(issuerRow, 'ES256', 'ES256')
    expect([world.asked, world.fetches]).toEqual([2, 2])
  })

  it('counts the age of a set from its fetch, not from when it heard of it', async () => {
    const { world, isolate } = deployment()
    await isolate().find(issuerRow, 'ES256', 'ES256')
    world.now += 290_000
    const late = isolate()
    await late.find(issuerRow, 'ES256', 'ES256')
    world.issuer = ok([])
    world.now += 10_000
    expect(await late.find(issuerRow, 'ES256', 'ES256')).toBe('unknown')
  })

  it('costs nobody anything for made-up kids within 30 s', async () => {
    const { world, isolate } = deployment()
    const keys = isolate()
    for (let i = 0; i < 300; i++) {
      expect(await keys.find(issuerRow, `made-up-${i}`, 'ES256')).toBe('unknown')
      world.now += 100
    }
    expect([world.asked, world.fetches]).toEqual([1, 1])
  })

  it('finds a key that was added, within 30 s of the fetch that lacked it', async () => {
    const { world, isolate } = deployment()
    const keys = isolate()
    world.issuer = ok([])
    expect(await keys.find(issuerRow, 'ES256', 'ES256')).toBe('unknown')
    world.issuer = ok(set)
    world.now += 30_000
    expect(await keys.find(issuerRow, 'ES256', 'ES256')).toBeInstanceOf(CryptoKey)
  })

  it('drops a key that was withdrawn after five minutes', async () => {
    const { world, isolate } = deployment()
    const keys = isolate()
    await keys.find(issuerRow, 'ES256', 'ES256')
    world.issuer = ok(set.filter(({ kid }) => kid !== 'ES256'))
    world.now += 300_000
    expect(await keys.find(issuerRow, 'ES256', 'ES256')).toBe('unknown')
  })

  it('works on through an outage of the issuer with the keys it knows, for a day', async () => {
    const { world, isolate } = deployment()
    const keys = isolate()
    await keys.find(issuerRow, 'ES256', 'ES256')
    world.issuer = down
    world.now += 3_600_000
    expect(await keys.find(issuerRow, 'ES256', 'ES256')).toBeInstanceOf(CryptoKey)
    expect(await keys.find(issuerRow, 'new', 'ES256')).toBe('unavailable')
    expect(await keys.find(issuerRow, 'ES256', 'ES256')).toBeInstanceOf(CryptoKey)
    world.now = NOW + 24 * 3_600_000
    expect(await keys.find(issuerRow, 'ES256', 'ES256')).toBe('unavailable')
  })

  it('says unavailable when the object is down or silent, and recovers at once', async () => {
    const { world, isolate } = deployment()
    const keys = isolate()
    world.objectDown = true
    expect(await keys.find(issuerRow, 'ES256', 'ES256')).toBe('unavailable')
    world.objectDown = false
    expect(await keys.find(issuerRow, 'ES256', 'ES256')).toBeInstanceOf(CryptoKey)
    const silent = createKeySource({
      ask: () => new Promise<KeySetReply>(() => {}),
      allowLoopback: false,
      now: () => NOW,
      timeoutMs: 5,
    })
    expect(await silent.find(issuerRow, 'ES256', 'ES256')).toBe('unavailable')
  })

  it('never takes a key for another algorithm than its own', async () => {
    const { isolate } = deployment()
    const keys = isolate()
    expect(await keys.find(issuerRow, 'RS256', 'PS256')).toBe('unknown')
    expect(await keys.find(issuerRow, 'RS256', 'ES256')).toBe('unknown')
  })

  it('takes a point that is not on its curve for no key', async () => {
    const off: PublicJwk = {
      kid: 'off',
      use: 'sig',
      alg: 'ES256',
      material: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) },
    }
    const { world, isolate } = deployment()
    world.issuer = ok([off])
    expect(await isolate().find(issuerRow, 'off', 'ES256')).toBe('unknown')
  })
})
