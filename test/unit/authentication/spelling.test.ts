import { base64url } from 'jose'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCanonicalBase64url, readSpelling } from '../../../src/authentication/spelling.ts'

describe('canonical base64url', () => {
  it('is what decoding and encoding leave unchanged', () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= .\n'
    const texts = fc.string({ unit: fc.constantFrom(...letters.split('')), maxLength: 12 })
    fc.assert(
      fc.property(texts, (text) => {
        expect(isCanonicalBase64url(text)).toBe(survives(text))
      }),
      { numRuns: 3000 },
    )
  })

  it('holds for every encoding of bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (bytes) => {
        expect(isCanonicalBase64url(base64url.encode(bytes))).toBe(true)
      }),
    )
  })
})

function survives(text: string): boolean {
  try {
    return text !== '' && base64url.encode(base64url.decode(text)) === text
  } catch {
    return false
  }
}

describe('a token', () => {
  it('falls into its three segments', () => {
    const segments = { header: 'AAAA', payload: 'AAA', signature: 'AA' }
    expect(readSpelling('AAAA.AAA.AA')).toEqual({ ok: true, value: segments })
  })

  it.each([
    ['AAAA.AAA', 'not_jwt'],
    ['AAAA.AAAA.AAAA.AAAA.AAAA', 'not_jwt'],
    ['', 'not_jwt'],
    ['AAAA.AAAA.', 'spelling'],
    ['.AAAA.AAAA', 'spelling'],
    ['AAAA.AAAAA.AAAA', 'spelling'],
    ['AAAA.AAAA.AB', 'spelling'],
    ['AAAA.AAAA.AAB', 'spelling'],
    ['AAAA.AAAA.AAAA\n', 'spelling'],
  ])('`%s` is refused as %s', (text, fault) => {
    expect(readSpelling(text)).toEqual({ ok: false, error: fault })
  })

  it('is bounded at 16,384 letters', () => {
    const text = (letters: number) => `${'A'.repeat(letters - 10)}.AAAA.AAAA`
    expect(readSpelling(text(16_382)).ok).toBe(true)
    expect(readSpelling(text(16_386)).ok).toBe(false)
  })
})
