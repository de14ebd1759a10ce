import { describe, expect, it } from 'vitest'
import { readWorkloadId } from '../../../../src/authentication/workload/workload-id.ts'

const UNRESERVED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'

describe('the id of a workload', () => {
  it.each([
    'spiffe://staging.example.com/payments/mysql',
    'spiffe://k8s-west.example.com/ns/staging/sa/default',
    'spiffe://example.com/9eebccd2-12bf-40a6-b262-65fe0487d453',
    'spiffe://a_b-c.d/A.b_c-1',
    'spiffe://1.2.3.4/...',
    'wimse://trust.corp.example.com/workload/af3e86cb-7013-4e33-b717-11c4edd25679',
    "wimse://a/!$&'()*+,;=:@~",
    'wimse://a/%2F%20%C3%BC',
  ])('%s', (id) => {
    const trustDomain = id.slice(0, id.indexOf('/', id.indexOf('://') + 3))
    expect(readWorkloadId(id)).toMatchObject({ id, trustDomain })
  })

  it('has at most 2048 bytes, and 255 of them before the path', () => {
    const domain = `spiffe://${'d'.repeat(255)}`
    expect(readWorkloadId(`${domain}/${'p'.repeat(2048 - domain.length - 1)}`)).not.toBeNull()
    expect(readWorkloadId(`${domain}/${'p'.repeat(2048 - domain.length)}`)).toBeNull()
    expect(readWorkloadId(`spiffe://${'d'.repeat(256)}/p`)).toBeNull()
  })

  it('escapes nothing that needs no escape (RFC 3986 §6.2.2.2)', () => {
    for (let code = 0; code < 256; code++) {
      const hex = code.toString(16).toUpperCase().padStart(2, '0')
      const isNeedless = UNRESERVED.includes(String.fromCharCode(code))
      expect([hex, readWorkloadId(`wimse://a/x%${hex}y`) === null]).toEqual([hex, isNeedless])
    }
  })

  it('holds no character that a URI or its scheme does not have', () => {
    for (let code = 0; code < 0x250; code++) {
      const letter = String.fromCharCode(code)
      if (/[A-Za-z0-9._/-]/.test(letter)) continue
      expect([code, readWorkloadId(`spiffe://a/x${letter}y`)]).toEqual([code, null])
      expect([code, readWorkloadId(`spiffe://a${letter}b/x`)]).toEqual([code, null])
      expect([code, readWorkloadId(`wimse://a${letter}b/x`)]).toEqual([code, null])
    }
  })

  it.each([
    undefined,
    null,
    7,
    '',
    'spiffe',
    'spiffe:/a/b',
    'spiffe:a',
    'http://a/b',
    'xspiffe://a/b',
  ])('is not %j', (value) => {
    expect(readWorkloadId(value)).toBeNull()
  })
})
