import { describe, expect, test } from 'vitest'
import { argumentValues, type RoleRow } from '../../../../src/pdp/provenance/arguments.ts'
import { PASSED } from '../../../../src/pdp/provenance/passed.ts'

const TARGET: RoleRow = { pointer: ['to', '*'], role: 'target', resourceType: 'email' }
const texts = (args: unknown, row = TARGET): string[] | undefined =>
  argumentValues(args as never, [row])?.flatMap(({ role, text }) =>
    role === row.role ? [text] : [],
  )

test.each([
  [{ to: ['A@x.example', 'b@x.example'] }],
  [{ to: "['a@x.example', 'b@x.example']" }],
  [{ to: { x: 'a@x.example', y: 'b@x.example' } }],
  [{ to: [['a@x.example'], 'b@x.example'] }],
])('%j names the same two, however a lenient server would take it', (args) => {
  expect(texts(args)).toEqual(['a@x.example', 'b@x.example'])
})

test.each([
  [{ mail: ['a', 'b'] }, ['a', 'b']],
  [{ mail: [['a'], { to: 'b' }] }, ['a', 'b']],
  [{ mail: [{ cc: 'x' }, null, 'a'] }, ['a']],
])('%j: a list of texts in the place of an object is found as one text is', (args, found) => {
  expect(texts(args, { pointer: ['mail', 'to'], role: 'target', resourceType: null })).toEqual(
    found,
  )
})

describe('the name that its kind gives a value', () => {
  const named = (written: unknown, form: RoleRow['form'], role = 'selector') =>
    argumentValues({ id: written } as never, [
      { pointer: ['id'], role, resourceType: 'thing', ...(form === undefined ? {} : { form }) },
    ])?.flatMap((value) => (value.type === 'thing' ? [[value.text, value.name ?? value.text]] : []))

  test.each<[unknown, RoleRow['form'], string, string]>([
    ['aBc', 'exact', 'abc', 'aBc'],
    [' abc', 'exact', 'abc', ' abc'],
    ['abc/', 'exact', 'abc', 'abc/'],
    ['abc', 'exact', 'abc', 'abc'],
    [7, 'exact', '7', '7'],
    ['aBc', 'lower', 'abc', 'abc'],
    ['A@X.example', 'email', 'a@x.example', 'a@x.example'],
    ['/a/./B', 'path', '/a/./b', '/a/B'],
    ['https://x.example/A', 'url', 'x.example/a', 'https://x.example/A'],
    // No name of that form: such a call is refused for that.
    ['/a/../../b', 'path', '/a/../../b', '/a/../../b'],
    ['aBc', undefined, 'abc', 'abc'],
  ])('%j as %s is %s to origins and %s to its kind', (written, form, text, name) => {
    expect(named(written, form)).toEqual([[text, name]])
  })

  test('each of several has its own', () => {
    expect(named('["aB","Ab"]', 'exact', 'target')).toEqual([
      ['ab', 'aB'],
      ['ab', 'Ab'],
    ])
  })
})

test('what is absent names nothing', () => {
  expect(texts({})).toEqual([])
  expect(texts({ to: null })).toEqual([])
})

test('content is looked into for addresses, and not for paths', () => {
  const body: RoleRow = { pointer: ['body'], role: 'content', resourceType: null }
  expect(texts({ body: 'hi, see https://evil.example/x and /etc/passwd' }, body)).toEqual([
    'evil.example/x',
  ])
})

test('every other text is remembered as passed, numbers and long texts are not', () => {
  const found = argumentValues(
    { to: 'a@x.example', name: 'Eve', n: 7, no: 'ab', all: 'x'.repeat(81) } as never,
    [TARGET],
  )
  expect(found?.filter(({ role }) => role === PASSED).map(({ text }) => text)).toEqual(['eve'])
})

test('amounts are read as numbers', () => {
  const amount: RoleRow = { pointer: ['amount'], role: 'amount', resourceType: null }
  const read = (value: unknown) => argumentValues({ amount: value } as never, [amount])?.[0]?.amount
  expect([read(9.5), read('12'), read('a lot')]).toEqual([9.5, 12, null])
})

test('more than is read is no list at all', () => {
  expect(texts({ to: Array.from({ length: 5_000 }, (_, index) => `a${index}`) })).toBeUndefined()
})
