import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canon } from '../../../../src/pdp/provenance/canon.ts'
import { skeletonOf } from '../../../../src/pdp/provenance/skeleton.ts'

describe('a skeleton', () => {
  test.each([
    ['Eve <Eve@X.example>', 'eve@x.example'],
    ['mailto:eve@x.example', 'eve@x.example'],
    ['https://www.x.example:443/', 'x.example'],
    ['x.example:8443', 'x.example:8443'],
    ['ÉVE', 'eve'],
    ['DE89 3704 0044', 'de8937040044'],
    ['bob-smith', 'bob-smith'],
    ['%ff', '%ff'],
    ['...', '...'],
  ])('of %j is %j', (text, expected) => {
    expect(skeletonOf(text)).toBe(expected)
  })

  test('is the same for two spellings that are one value already', () => {
    const text = fc.oneof(fc.string(), fc.emailAddress(), fc.webUrl())
    fc.assert(
      fc.property(text, (one) => {
        expect(skeletonOf(`  ${one.toUpperCase()} `.toLowerCase())).toBe(
          skeletonOf(one.toUpperCase().toLowerCase()),
        )
        expect(skeletonOf(one) === '').toBe(canon(one) === '')
      }),
    )
  })

  test.each(['.', '<', '%41', '%', ' ', 'é', 'http://', '1-', '@'])(
    'of many %j takes no time to speak of',
    (piece) => {
      const from = performance.now()
      for (let round = 0; round < 256; round += 1)
        skeletonOf(`${piece.repeat(2_040 / piece.length)}x`)
      skeletonOf(piece.repeat(1_000_000))
      expect(performance.now() - from).toBeLessThan(2_000)
    },
  )
})
