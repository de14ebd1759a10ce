import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canon, occurs, plain } from '../../../../src/pdp/provenance/canon.ts'

describe('canon', () => {
  test.each([
    ['  Bob   Smith ', 'bob smith'],
    ['HTTPS://Example.com/', 'example.com'],
    ['http://https://x.example//', 'x.example'],
    ['DE89 3704', 'de89 3704'],
    ['', ''],
  ])('%j is %j', (text, expected) => {
    expect(canon(text)).toBe(expected)
  })

  test('a canonical value is its own canonical value', () => {
    const part = fc.constantFrom('http://', 'https://', '/', ' ', '\n', 'A', 'b', '.', 'İ', 'ß')
    const text = fc.oneof(
      fc.string(),
      fc.array(part).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (one) => {
        expect(canon(canon(one))).toBe(canon(one))
      }),
    )
  })
})

describe('occurs', () => {
  test.each([
    ['bob', 'Write to Bob.', true],
    ['bob', 'write to bobby', false],
    ['bob', 'say "bob", please', true],
    ['x.example/a', 'see https://X.example/a/', true],
    ['a@x.example', 'to:a@x.example', true],
    ['5', 'on 2024-05-05 at 5:30', false],
    ['5', 'the first 5 of them', true],
    ['é', 'café', false],
    ['', 'anything', true],
    ['(a', 'f((a)', true],
  ])('%j in %j: %s', (value, text, expected) => {
    expect(occurs(value, plain(text))).toBe(expected)
  })

  test('a value between spaces always stands in a text', () => {
    // A short number has borders of its own.
    const value = fc
      .string({ minLength: 1 })
      .map(canon)
      .filter((one) => !/^\d{0,3}$/.test(one))
    fc.assert(
      fc.property(fc.string(), value, fc.string(), (before, one, after) => {
        expect(occurs(one, plain(`${before} ${one} ${after}`))).toBe(true)
      }),
    )
  })

  test('a megabyte of near misses takes no time to speak of', () => {
    const text = plain('ab'.repeat(500_000))
    const from = performance.now()
    expect(occurs('abab', text)).toBe(false)
    expect(canon(`${'http://'.repeat(100_000)}x`)).toBe('x')
    expect(performance.now() - from).toBeLessThan(5_000)
  })
})
