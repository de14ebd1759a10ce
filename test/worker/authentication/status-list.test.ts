import { SignJWT } from 'jose'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { forgetEverything } from '../../support/worker/isolate.ts'
import { call, inThisWorld, ISSUER, newUser, seen, sql, token } from '../../support/worker/world.ts'
import { seconds, transmitterKey, withStream } from '../../support/worker/signals.ts'

inThisWorld()
// Its key is published beside the issuer's: a list is signed with it.
withStream()

const LIST = `${ISSUER}/lists/1`

interface Served {
  claims?: object
  header?: object
  type?: string
  status?: number
  raw?: BodyInit
}

let served: Served = {}
let fetched: { url: string; redirect: string | undefined }[] = []

/** Index 0 and 3 are invalid, 1 and 2 valid, and so on: `b9a3` of the draft. */
const LST = 'eNrbuRgAAhcBXQ'

async function listToken({ claims = {}, header = {} }: Served): Promise<string> {
  const payload = {
    sub: LIST,
    iat: seconds(),
    exp: seconds() + 600,
    ttl: 300,
    status_list: { bits: 1, lst: LST },
    ...claims,
  }
  const kept = Object.fromEntries(
    Object.entries(payload).filter(([, value]) => value !== undefined),
  )
  return new SignJWT(kept)
    .setProtectedHeader({ alg: 'RS256', kid: 'set-1', typ: 'statuslist+jwt', ...header })
    .sign(transmitterKey)
}

beforeEach(async () => {
  served = {}
  fetched = []
  await forgetEverything()
  const world = vi.mocked(fetch).getMockImplementation()
  vi.mocked(fetch).mockImplementation(async (input, init) => {
    const request = new Request(input, init)
    if (!request.url.startsWith(`${ISSUER}/lists/`))
      return world?.(input, init) as Promise<Response>
    fetched.push({ url: request.url, redirect: init?.redirect })
    return new Response(served.raw ?? (await listToken(served)), {
      status: served.status ?? 200,
      headers: { 'content-type': served.type ?? 'application/statuslist+jwt' },
    })
  })
  await sql(`UPDATE issuers SET status_list = '${ISSUER}/lists/', algorithms = '["ES256","RS256"]'`)
})

async function calling(status: unknown): Promise<string> {
  const sub = await newUser()
  const claims = status === undefined ? {} : { status }
  return (await call('note', { token: await token({ sub, claims }) })).code
}
const at = (idx: unknown, uri: unknown = LIST) => ({ status_list: { idx, uri } })

describe('a token with a status list', () => {
  it('is what the list says, which is fetched once', async () => {
    expect(await calling(at(0))).toBe('token_invalid')
    expect(await calling(at(1))).toBe('allowed')
    expect(await calling(at(2))).toBe('allowed')
    expect(await calling(at(3))).toBe('token_invalid')
    expect(await calling(at(15))).toBe('token_invalid')
    expect(await calling(at(14))).toBe('allowed')
    expect(fetched).toEqual([{ url: LIST, redirect: 'manual' }])
  })

  it.each([16, 1_000_000, 2 ** 50])('index %i is outside', async (index) => {
    expect(await calling(at(index))).toBe('token_invalid')
  })

  it('of two bits: invalid, suspended and what is not defined refuse', async () => {
    served = { claims: { status_list: { bits: 2, lst: 'eNo76fITAAPfAgc' } } }
    const found = []
    for (let index = 0; index < 6; index += 1) found.push(await calling(at(index)))
    const no = 'token_invalid'
    expect(found).toEqual([no, no, 'allowed', no, 'allowed', no])
  })

  it.each([
    ['elsewhere', at(1, 'https://evil.example/lists/1')],
    ['above what is allowed', at(1, `${ISSUER}/lists/../other`)],
    ['above it, encoded', at(1, `${ISSUER}/lists/%2e%2e/other`)],
    ['beside it', at(1, `${ISSUER}/lists-of-others/1`)],
    ['as somebody', at(1, LIST.replace('://', '://lists@'))],
    ['in capitals', at(1, LIST.replace('https', 'HTTPS'))],
    ['at the default port', at(1, LIST.replace('.example', '.example:443'))],
    ['no text', at(1, [LIST])],
    ['no index', at(undefined)],
    ['an index below', at(-1)],
    ['a part of an index', at(1.5)],
    ['null', null],
    ['an index that is a text', at('1')],
    ['no object', 'valid'],
  ])('%s is refused, and nothing is fetched', async (_, status) => {
    expect(await calling(status)).toBe('token_invalid')
    expect(fetched).toEqual([])
  })

  it.each([
    ['another `sub`', { claims: { sub: `${ISSUER}/lists/2` } }],
    ['another issuer', { claims: { iss: 'https://evil.example' } }],
    ['an `exp` that has passed', { claims: { exp: seconds() - 1 } }],
    ['an `iat` of the future', { claims: { iat: seconds() + 600 } }],
    ['no `iat`', { claims: { iat: undefined } }],
    ['no duration', { claims: { ttl: 0 } }],
    ['three bits', { claims: { status_list: { bits: 3, lst: LST } } }],
    ['trailing bytes', { claims: { status_list: { bits: 1, lst: `${LST}AAAA` } } }],
    ['no zlib', { claims: { status_list: { bits: 1, lst: 'AAAA' } } }],
    ['another `typ`', { header: { typ: 'at+jwt' } }],
    ['an unknown key', { header: { kid: 'other' } }],
    ['another media type', { type: 'application/json' }],
    ['an error', { status: 500 }],
    ['a redirect', { status: 302 }],
    ['garbage', { raw: 'hello' }],
    ['too much', { raw: 'A'.repeat(1_100_000) }],
    ['no end', { raw: new ReadableStream() }],
  ] as [string, Served][])('%s: nobody knows, 503', { timeout: 10_000 }, async (_, serving) => {
    served = serving
    expect(await calling(at(1))).toBe('status_list_unavailable')
    expect(seen).toHaveLength(0)
  })

  it('a list that cannot be had is asked for again, and not by every call', async () => {
    served = { status: 500 }
    for (let n = 0; n < 5; n += 1) expect(await calling(at(1))).toBe('status_list_unavailable')
    expect(fetched).toHaveLength(1)
    served = {}
    const later = Date.now() + 3_000
    vi.spyOn(Date, 'now').mockImplementation(() => later)
    expect(await calling(at(1))).toBe('allowed')
  })

  it('is fetched once, however many calls come at once', async () => {
    const codes = await Promise.all(Array.from({ length: 12 }, (_, n) => calling(at(n % 2))))
    expect(codes.filter((code) => code === 'allowed')).toHaveLength(6)
    expect(codes.filter((code) => code === 'token_invalid')).toHaveLength(6)
    expect(fetched).toHaveLength(1)
  })

  it('a list that never comes is waited for once', { timeout: 10_000 }, async () => {
    served = { raw: new ReadableStream() }
    const began = Date.now()
    const codes = await Promise.all(Array.from({ length: 8 }, () => calling(at(1))))
    expect(codes).toEqual(Array.from({ length: 8 }, () => 'status_list_unavailable'))
    // And not by the next call either, for a while.
    expect(await calling(at(1))).toBe('status_list_unavailable')
    expect(fetched).toHaveLength(1)
    expect(Date.now() - began).toBeLessThan(4_000)
  })

  it('is asked about again when its `ttl` or `exp` is over', async () => {
    served = { claims: { ttl: 20, exp: seconds() + 3_600 } }
    expect(await calling(at(1))).toBe('allowed')
    served = { claims: { status_list: { bits: 1, lst: 'eNr7DwABAAD_' } } }
    const now = Date.now()
    vi.spyOn(Date, 'now').mockImplementation(() => now + 19_000)
    expect(await calling(at(1))).toBe('allowed')
    vi.spyOn(Date, 'now').mockImplementation(() => now + 21_000)
    expect(await calling(at(1))).not.toBe('allowed')
    expect(fetched).toHaveLength(2)
  })

  it('is never kept beyond its `exp`, however long its `ttl`', async () => {
    served = { claims: { ttl: 3_600, exp: seconds() + 20 } }
    expect(await calling(at(1))).toBe('allowed')
    served = { claims: { status_list: { bits: 1, lst: 'eNr7DwABAAD_' } } }
    const later = Date.now() + 21_000
    vi.spyOn(Date, 'now').mockImplementation(() => later)
    expect(await calling(at(1))).not.toBe('allowed')
    expect(fetched).toHaveLength(2)
  })

  it('means nothing where the row allows no lists', async () => {
    await sql('UPDATE issuers SET status_list = NULL')
    expect(await calling(at(0))).toBe('allowed')
    expect(fetched).toEqual([])
  })

  it('without one there is nothing to ask, and another mechanism is not ours', async () => {
    expect(await calling(undefined)).toBe('allowed')
    expect(await calling({ other: 1 })).toBe('allowed')
    expect(fetched).toEqual([])
  })
})
