import { describe, expect, test } from 'vitest'
import { findOrigins, MOST_LEAVES, type OriginRow } from '../../../../src/pdp/provenance/fields.ts'

const row = (pointer: string, authority: OriginRow['authority'] = 'system'): OriginRow => ({
  pointer,
  resourceType: 'thing',
  authority,
})
const listed = (structured: never, ...rows: OriginRow[]): string[] =>
  findOrigins({ structured, text: '' }, rows).listed.map(({ text }) => text)

describe('whole fields', () => {
  test('are scalars, and not what people write sentences under', () => {
    const found = findOrigins(
      {
        structured: {
          id: 7,
          Body: 'bob',
          tags: ['A', 'B'],
          note: { by: 'eve' },
          at: null,
        } as never,
        text: '{"body": "see https://evil.example"}',
      },
      [],
    )
    expect(found.fields).toEqual(['7', 'a', 'b', 'eve'])
    expect(found.mentions).toEqual(['evil.example'])
  })

  test('are neither long nor of several lines', () => {
    const found = findOrigins({ structured: ['x'.repeat(81), 'a\nb', 'ok'] as never, text: '' }, [])
    expect(found.fields).toEqual(['ok'])
  })
})

describe('what rows list', () => {
  test.each([
    [{ id: '1', other: { id: '2' } }, '/id', ['1']],
    [[{ id: '1' }, { id: '2' }], '/*/id', ['1', '2']],
    [{ to: ['a', 'b'] }, '/to/*', ['a', 'b']],
    [{ methods: { card_1: {}, card_2: {} } }, '/methods/~*', ['card_1', 'card_2']],
    [{ 'a/b': { '~': 'x' } }, '/a~1b/~0', ['x']],
    [{ '~*': 'x' }, '/~0*', ['x']],
    [{ '*': 'x' }, '/~*', ['*']],
  ])('%j at %s', (structured, pointer, expected) => {
    expect(listed(structured as never, row(pointer))).toEqual(expected)
  })

  test('a text that is no JSON is a list of lines where a row says so', () => {
    const text = 'Hotels in Rome: Bella Vista\nGrand\n'
    const found = (rows: OriginRow[]) => findOrigins({ structured: undefined, text }, rows)
    expect(found([row('/*')]).listed.map((one) => one.text)).toEqual(['bella vista', 'grand'])
    expect(found([])).toMatchObject({ listed: [], fields: [] })
  })

  test('one word may be a whole answer', () => {
    expect(findOrigins({ structured: undefined, text: ' DE89 ' }, []).fields).toEqual(['de89'])
  })
})

test('more leaves or more depth than are read is said', () => {
  const of = (structured: unknown) =>
    findOrigins({ structured: structured as never, text: '' }, []).overflow
  const many = Array.from({ length: MOST_LEAVES }, (_, index) => index)
  expect(of(many)).toBe(false)
  expect(of([...many, 'one more'])).toBe(true)
  expect(of(JSON.parse('['.repeat(40) + '1' + ']'.repeat(40)))).toBe(true)
})
