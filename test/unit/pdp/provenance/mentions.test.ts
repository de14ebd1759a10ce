import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MOST_MENTIONS, mentionsIn, shapeOf } from '../../../../src/pdp/provenance/mentions.ts'

describe('addresses that a text mentions', () => {
  test.each([
    ['write to Bob@X.example.', ['bob@x.example']],
    ['[link](https://evil.example/a?b=c)', ['evil.example/a?b=c']],
    ['see www.site.com, or site.io/x!', ['www.site.com', 'site.io/x']],
    ['pay DE89370400440532013000 now', ['de89370400440532013000']],
    ['open /etc/passwd or ~/notes/a.txt', ['/etc/passwd', '~/notes/a.txt']],
    ['<a href=https://evil.example>', ['evil.example']],
    ['e.g. readme.txt, 3.14 and a.b', []],
    ['nothing here', []],
  ])('%j', (text, expected) => {
    expect(mentionsIn(text)).toEqual({ addresses: expected, overflow: false })
  })

  test('more than are kept is said', () => {
    const many = Array.from({ length: MOST_MENTIONS + 1 }, (_, index) => `a${index}@x.example`)
    expect(mentionsIn(many.slice(1).join(' ')).overflow).toBe(false)
    expect(mentionsIn(many.join(' ')).overflow).toBe(true)
  })

  test('a mail address or a URL between spaces is always found', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[a-z]{1,9}$/), (around, name) => {
        const found = mentionsIn(`${around} ${name}@h.example https://h.example/${name} ${around}`)
        expect(found.addresses).toContain(`${name}@h.example`)
        expect(found.addresses).toContain(`h.example/${name}`)
      }),
    )
  })

  test.each(['a', '@', '.', 'a.', 'a@', '/', '/a', 'http://', 'a-', 'A9', '=', ':'])(
    'a megabyte of %j takes no time to speak of',
    (piece) => {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
      const from = performance.now()
      mentionsIn(text)
      mentionsIn(`${text} ${text}`)
      shapeOf(text)
      expect(performance.now() - from).toBeLessThan(5_000)
    },
  )
})

test.each([
  ['https://x.example/', 'address'],
  ['http://localhost/x', 'address'],
  ['//evil.example/x', 'address'],
  ['ftp://x', 'address'],
  ['x.example/a', 'address'],
  ['a@b', 'address'],
  ['/home/me/a.txt', 'path'],
  ['file:///etc/passwd', 'path'],
  ['~/a', 'path'],
  ['report.pdf', 'other'],
  ['Bella Vista', 'other'],
] as const)('%j looks like: %s', (text, shape) => {
  expect(shapeOf(text)).toBe(shape)
})
