import { describe, expect, it } from 'vitest'
import { fetchKeySet, type Fetch } from '../../../src/authentication/key-fetch.ts'
import { publicJwk } from './token-smith.ts'

const address = { uri: 'https://login.example.com/jwks.json', allowLoopback: false }
const body = JSON.stringify({ keys: [await publicJwk('ES256')] })
const answering =
  (text: string | null, init: ResponseInit = {}): Fetch =>
  async () =>
    new Response(text, init)

const kindOf = async (fetch: Fetch, at = address) => {
  const result = await fetchKeySet(at, fetch, 50)
  return result.ok ? result.value.map(({ kid }) => kid) : result.error.kind
}

describe('a key set', () => {
  it('is fetched without redirects, caches or credentials', async () => {
    const seen: unknown[] = []
    const keys = await kindOf(async (url, { redirect, cache, headers }) => {
      seen.push(url, redirect, cache, headers)
      return new Response(body)
    })
    expect(keys).toEqual(['ES256'])
    const accept = 'application/jwk-set+json, application/json'
    expect(seen).toEqual([address.uri, 'manual', 'no-store', { accept }])
  })

  it.each<[string, Fetch]>([
    ['a redirect', answering(null, { status: 302, headers: { location: 'https://evil.example' } })],
    ['status 500', answering(body, { status: 500 })],
    ['status 204', answering(null, { status: 204 })],
    ['no body', answering(null)],
    ['HTML', answering('<html></html>')],
    ['an array', answering('[]')],
    ['duplicate members', answering(body.replace('{', '{"keys":[],'))],
    ['a byte order mark', answering(`\ufeff${body}`)],
    ['257 KiB', answering(`{"keys":[],"x":"${'a'.repeat(257 * 1024)}"}`)],
    ['a broken connection', async () => Promise.reject(new TypeError('network'))],
    ['no answer at all', () => new Promise<Response>(() => {})],
    [
      'a body that never ends',
      async () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })),
    ],
  ])('counts as unreachable: %s', async (_name, fetch) => {
    expect(await kindOf(fetch)).toBe('unreachable')
  })

  it('stops reading an endless body at the bound', async () => {
    let pulled = 0
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1
        controller.enqueue(new Uint8Array(64 * 1024).fill(0x20))
      },
      cancel() {
        cancelled = true
      },
    })
    expect(await kindOf(async () => new Response(endless))).toBe('unreachable')
    expect(cancelled).toBe(true)
    expect(pulled).toBeLessThan(10)
  })

  it.each<[string, string]>([
    ['no keys', '{}'],
    ['a symmetric key', '{"keys":[{"kty":"oct","k":"AAAA"}]}'],
  ])('is refused for what it says: %s', async (_name, text) => {
    expect(await kindOf(answering(text))).toBe('refused')
  })

  it.each(['http://login.example.com/', 'https://10.0.0.1/', 'http://127.0.0.1:8788/'])(
    'is not asked for at %s',
    async (uri) => {
      let called = false
      const fetch: Fetch = async () => {
        called = true
        return new Response(body)
      }
      expect(await kindOf(fetch, { uri, allowLoopback: false })).toBe('unreachable')
      expect(called).toBe(false)
    },
  )

  it('comes from a loopback issuer where that is allowed', async () => {
    const local = { uri: 'http://127.0.0.1:8788/jwks.json', allowLoopback: true }
    expect(await kindOf(answering(body), local)).toEqual(['ES256'])
  })
})
