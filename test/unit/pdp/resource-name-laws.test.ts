import { existsSync, readFileSync } from 'node:fs'
import { posix, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RESOURCE_FORMS, resourceName, type ResourceForm } from '../../../src/pdp/resource-name.ts'
import { propertyRuns } from '../../support/property-runs.ts'

/** Pieces that spellings are made of, odd ones included. */
const PIECES = [
  'a',
  'B',
  'é',
  'e\u0301',
  '.',
  '..',
  '/',
  '//',
  '%2e',
  '%61',
  '%',
  '@',
  ':',
  '?',
  '#',
  ' ',
]
const pieces = (more: readonly string[]) =>
  fc.array(fc.constantFrom(...PIECES, ...more), { maxLength: 8 }).map((list) => list.join(''))
const SPELLED: Readonly<Record<ResourceForm, fc.Arbitrary<string>>> = {
  exact: fc.string({ unit: 'binary', maxLength: 8 }),
  lower: fc.string({ unit: 'grapheme', maxLength: 8 }),
  path: pieces(['~', 'c', '...']),
  url: fc
    .tuple(
      fc.constantFrom('https://', 'https://h/', 'foo://', 'foo:/', 'file:///'),
      pieces(['=', '+']),
    )
    .map(([start, rest]) => start + rest),
  email: pieces(['+', 'x.org']).map((rest) => `ann${rest}`),
  host: pieces(['x.org', 'xn--', '1', '0x', '[', ']', '-']),
}

const isItsOwnName = (form: ResourceForm, text: string): boolean => {
  const name = resourceName(form, text)
  return name === null || resourceName(form, name) === name
}

/** Where a name leads from this folder, and which name leads there. */
const HOME = '/home/u'
function isWhereItLeads(text: string, name: string): boolean {
  const file = posix.resolve(HOME, text)
  const expected = text.startsWith('/') ? file : posix.relative(HOME, file)
  return name === expected && posix.resolve(HOME, name) === file
}

describe('laws of names', () => {
  it.each(['exact', 'lower', 'path'] as const)('a name of form %s is its own name', (form) => {
    fc.assert(
      fc.property(SPELLED[form], (text) => {
        expect(isItsOwnName(form, text)).toBe(true)
      }),
      propertyRuns(20_000),
    )
  })

  // Once names that had another name: a dot at the end of a host, and an escape that another one makes.
  it.each(['url', 'email', 'host'] as const)('a name of form %s is its own name', (form) => {
    for (const text of [
      'https://h../',
      'https://h/%%34%31',
      'foo://h%2e/',
      'foo://h../',
      'https://x/mcp?',
      'file:///C%3A/../a',
      'ann@example.com..',
      'example.com..',
      '..',
    ]) {
      expect(isItsOwnName(form, text), text).toBe(true)
    }
    fc.assert(
      fc.property(SPELLED[form], (text) => {
        expect(isItsOwnName(form, text)).toBe(true)
      }),
      propertyRuns(20_000),
    )
  })

  it('two paths that lead to one file have one name', () => {
    const climbing = fc
      .array(fc.constantFrom('a', 'b', '.', '..', ''), { minLength: 1, maxLength: 6 })
      .map((list) => list.join('/'))
    fc.assert(
      fc.property(climbing, (text) => {
        const name = resourceName('path', text)
        // Refused is what has no name of its own: where one stands, and what lies above.
        const nameless = text.includes('..') || posix.resolve(HOME, text) === HOME
        expect(name === null ? nameless : isWhereItLeads(text, name)).toBe(true)
      }),
      propertyRuns(20_000),
    )
  })

  it('two URLs that a parser reads as one have one name', () => {
    fc.assert(
      fc.property(SPELLED.url, (text) => {
        const name = resourceName('url', text)
        const read = URL.canParse(text) ? resourceName('url', new URL(text).href) : null
        expect(name === null || name === read).toBe(true)
      }),
      propertyRuns(20_000),
    )
  })

  it('no form names what it cannot see: controls, formats, halves of pairs', () => {
    const unseen = fc.constantFrom(
      '\u0000',
      '\u0007',
      '\u007f',
      '\u200d',
      '\u2066',
      '\ufeff',
      '\udfff',
    )
    fc.assert(
      fc.property(fc.constantFrom(...RESOURCE_FORMS), unseen, fc.nat(20), (form, odd, at) => {
        const text = { exact: 'name', lower: 'name', path: '/a/b', url: 'https://h/a/b' }
        const plain = { ...text, email: 'ann@example.com', host: 'example.com' }[form]
        const where = at % (plain.length + 1)
        expect(resourceName(form, plain.slice(0, where) + odd + plain.slice(where))).toBeNull()
      }),
      propertyRuns(2_000),
    )
  })
})

const VECTORS = resolve(
  import.meta.dirname,
  '../../..',
  process.env['SALLYPORT_SHARED'] ?? '../shared',
  'vectors/whatwg-url/urltestdata.json',
)
interface Vector {
  readonly input: string
  readonly base: string | null
  readonly href?: string
  readonly failure?: boolean
}
const vectors = existsSync(VECTORS)
  ? (JSON.parse(readFileSync(VECTORS, 'utf8')) as (Vector | string)[])
      .filter((vector) => typeof vector !== 'string')
      .filter(({ base }) => base === null)
  : []

// Where the vectors are not there, this shows up as skipped.
describe.skipIf(vectors.length === 0)('against the test data of the URL Standard', () => {
  it('what the standard refuses has no name', () => {
    const named = vectors
      .filter(({ failure, input }) => failure === true && resourceName('url', input) !== null)
      .map(({ input }) => input)
    expect(named).toEqual([])
  })

  it('an input and what it is read as have one name, or none', () => {
    let compared = 0
    for (const { input, href } of vectors) {
      const name = resourceName('url', input)
      if (href === undefined || name === null) continue
      compared += 1
      expect(resourceName('url', href), input).toBe(name)
    }
    expect(compared).toBeGreaterThan(100)
  })
})
