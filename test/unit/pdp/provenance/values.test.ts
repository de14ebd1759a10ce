import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scalarsOf } from '../../../../src/pdp/provenance/values.ts'

describe('the scalars of an argument', () => {
  test.each([
    ['a', ['a']],
    [' ', []],
    [null, []],
    [7, ['7']],
    [true, ['true']],
    [
      ['a', ['b', null]],
      ['a', 'b'],
    ],
    [{ x: 'a', y: { z: 'b' } }, ['a', 'b']],
    ["['a@x.example', 'b@x.example']", ['a@x.example', 'b@x.example']],
    ['["a", "[\\"b\\"]"]', ['a', 'b']],
    ['[not a list]', ['[not a list]']],
  ])('%j', (value, expected) => {
    expect(scalarsOf(value)).toEqual(expected)
  })

  test('more than is read is no list at all', () => {
    expect(scalarsOf(Array.from({ length: 5_000 }, (_, index) => index))).toBeNull()
    expect(scalarsOf(JSON.parse('['.repeat(40) + ']'.repeat(40)))).toBeNull()
    expect(scalarsOf('['.repeat(90_000))).toEqual(['['.repeat(90_000)])
  })

  test('every scalar is found, whatever it lies in', () => {
    const scalar = fc.stringMatching(/^[a-z]{1,8}$/)
    const nested = fc.letrec((tie) => ({
      one: fc.oneof(
        { maxDepth: 4 },
        scalar,
        fc.array(tie('one'), { maxLength: 4 }),
        fc.record({ k: tie('one') }),
      ),
    })).one
    fc.assert(
      fc.property(nested, (value) => {
        const written = JSON.stringify(value).match(/"[a-z]{1,8}"(?!:)/g) ?? []
        expect(scalarsOf(value as never)).toEqual(written.map((one) => JSON.parse(one) as string))
      }),
    )
  })
})
