import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { deflateSync } from 'node:zlib'
import { base64url } from 'jose'
import { describe, expect, it } from 'vitest'
import { inflate } from '../../../../src/authentication/status-list/inflate.ts'
import {
  isAllowedUri,
  readListToken,
  readReference,
  statusAt,
  type Bits,
} from '../../../../src/authentication/status-list/list.ts'
import { readSegment } from '../../../../src/authentication/payload.ts'
import type { JsonObject } from '../../../../src/mcp/value.ts'

const FOLDER = resolve(process.env['SALLYPORT_SHARED'] ?? '../shared', 'vectors/token-status-list')
const MAX = 1_000

const bytesOf = (lst: string) => base64url.decode(lst) as Uint8Array<ArrayBuffer>
const packed = (bytes: Uint8Array | number) =>
  new Uint8Array(deflateSync(typeof bytes === 'number' ? new Uint8Array(bytes) : bytes))

describe.skipIf(!existsSync(FOLDER))("the draft's own lists", () => {
  interface Vector {
    readonly bits: Bits
    readonly lst: string
    readonly inflated_hex: string
    readonly statuses: readonly number[]
  }
  const { vectors } = JSON.parse(readFileSync(`${FOLDER}/short-vectors.json`, 'utf8')) as {
    vectors: Vector[]
  }
  const WORDS = ['valid', 'invalid', 'suspended', 'unknown']

  it.each(vectors.map((vector) => [vector.bits, vector] as const))(
    'of %i bits',
    async (bits, vector) => {
      const bytes = await inflate(bytesOf(vector.lst), MAX)
      expect(Buffer.from(bytes ?? []).toString('hex')).toBe(vector.inflated_hex)
      const list = { bits, bytes: bytes ?? new Uint8Array() }
      const found = vector.statuses.map((_, index) => statusAt(list, index))
      expect(found).toEqual(vector.statuses.map((value) => WORDS[value]))
      expect(statusAt(list, vector.statuses.length)).toBeNull()
      expect(statusAt(list, 2 ** 40)).toBeNull()
    },
  )

  it('the published token reads as it says', async () => {
    const raw = readFileSync(`${FOLDER}/status_list_jwt_raw.md`, 'utf8').replaceAll(/\s/g, '')
    const payload = readSegment(raw.split('.')[1] ?? '')
    if (!payload.ok) throw new Error(payload.error)
    const uri = 'https://example.com/statuslists/1'
    const at = 1_700_000_000_000
    const token = readListToken(payload.value, 'https://example.com', uri, at)
    expect(token).toEqual({
      ok: true,
      value: { bits: 1, packed: 'eNrbuRgAAhcBXQ', ttl: 43_200, expiresAt: 2_291_720_170 },
    })
    const refused = (issuer: string, address: string, now: number) =>
      readListToken(payload.value, issuer, address, now).ok
    expect(refused('https://other.example', uri, at)).toBe(false)
    expect(refused('https://example.com', `${uri}/`, at)).toBe(false)
    expect(refused('https://example.com', uri, 2_291_720_170_000)).toBe(false)
    expect(refused('https://example.com', uri, 1_600_000_000_000)).toBe(false)
  })
})

describe('what is inflated', () => {
  const good = packed(new TextEncoder().encode('a list of statuses'))

  it('is the whole stream', async () => {
    expect(new TextDecoder().decode((await inflate(good, MAX)) ?? undefined)).toBe(
      'a list of statuses',
    )
    expect((await inflate(packed(100_000), 100_000))?.length).toBe(100_000)
  })

  it('has a bound, however few bytes it came in', { timeout: 20_000 }, async () => {
    const bomb = packed(64 * 1024 * 1024)
    expect(bomb.length).toBeLessThan(100_000)
    expect(await inflate(bomb, 8 * 1024 * 1024)).toBeNull()
    expect(await inflate(packed(1_001), 1_000)).toBeNull()
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['a byte behind the end', new Uint8Array([...good, 0])],
    ['a second stream behind it', new Uint8Array([...good, ...packed(3)])],
    ['a cut', good.slice(0, -1)],
    ['a wrong checksum', good.with(good.length - 1, (good.at(-1) ?? 0) ^ 1)],
    ['a changed byte', good.with(4, (good.at(4) ?? 0) ^ 0x40)],
    ['no zlib', new TextEncoder().encode('no zlib at all, only text')],
    ['raw deflate', good.slice(2, -4)],
  ])('is nothing with %s', async (_, bytes) => {
    expect(await inflate(bytes as Uint8Array<ArrayBuffer>, MAX)).toBeNull()
  })
})

const json = (text: string): JsonObject => {
  const read = readSegment(base64url.encode(text))
  if (!read.ok) throw new Error(read.error)
  return read.value
}

describe('where a token says that its status is', () => {
  it.each([
    ['{}', null],
    ['{"status":{}}', null],
    ['{"status":{"other":1}}', null],
    [
      '{"status":{"status_list":{"idx":0,"uri":"https://a.example/1"}}}',
      { uri: 'https://a.example/1', index: 0 },
    ],
  ])('%s', (text, expected) => {
    expect(readReference(json(text))).toEqual({ ok: true, value: expected })
  })

  it.each([
    '{"status":null}',
    '{"status":"x"}',
    '{"status":{"status_list":[]}}',
    '{"status":{"status_list":{"idx":-1,"uri":"https://a.example/1"}}}',
    '{"status":{"status_list":{"idx":1.5,"uri":"https://a.example/1"}}}',
    '{"status":{"status_list":{"idx":"1","uri":"https://a.example/1"}}}',
    '{"status":{"status_list":{"idx":1}}}',
    '{"status":{"status_list":{"idx":1,"uri":""}}}',
  ])('%s is malformed', (text) => {
    expect(readReference(json(text))).toEqual({ ok: false, error: 'malformed' })
  })

  it.each([
    ['https://a.example/lists/1', true],
    ['https://a.example/lists/', true],
    ['https://a.example/lists', false],
    ['https://a.example/listsx/1', false],
    ['https://a.example/lists/../1', false],
    ['https://a.example/lists/%2e%2e/1', false],
    ['https://a.example:443/lists/1', false],
    ['https://A.example/lists/1', false],
    ['https://a.example@evil.example/lists/1', false],
    ['https://a.example.evil.example/lists/1', false],
    ['http://a.example/lists/1', false],
  ])('%s below https://a.example/lists/: %s', (uri, allowed) => {
    expect(isAllowedUri(uri, 'https://a.example/lists/')).toBe(allowed)
  })

  it('one address allows no other', () => {
    expect(isAllowedUri('https://a.example/l', 'https://a.example/l')).toBe(true)
    expect(isAllowedUri('https://a.example/l2', 'https://a.example/l')).toBe(false)
    expect(isAllowedUri('https://a.example.evil/', 'https://a.example')).toBe(false)
  })
})
