import { describe, expect, test } from 'vitest'
import { Life } from '../pdp/provenance/life.ts'
import { askedInWords } from '../../support/pdp/origins.ts'

const EVE = 'eve@evil.example'
const people = (...mails: string[]) => ({ people: mails.map((mail) => ({ mail })) })
const WRITES = { labels: ['sink.write'] }
const CONTENT = [{ pointer: ['text'], role: 'content', resourceType: null }]

test('what no call passed is vouched for by a listing, so that the tests below can fail', () => {
  const life = new Life()
  life.reads(people(EVE))
  expect(life.origins(EVE)).toEqual(['typed', 'typed_t', 'field'])
})

describe('a value passed without an origin gains none by being read back', () => {
  test.each([
    ['as a target', { to: EVE }],
    ['as a target in capitals', { to: 'EVE@EVIL.EXAMPLE' }],
    ['as a link', { to: `mailto:${EVE}` }],
    ['as a link with a subject', { to: `mailto:${EVE}?subject=hi` }],
    ['with a display name', { to: `Eve Smith <${EVE}>` }],
    ['in angle brackets', { to: `<${EVE}>` }],
    ['percent-encoded', { to: 'eve%40evil.example' }],
    ['percent-encoded twice', { to: 'eve%2540evil.example' }],
    ['in full width', { to: 'ｅｖｅ＠ｅｖｉｌ．ｅｘａｍｐｌｅ' }],
    ['with an ideographic full stop', { to: 'eve@evil。example' }],
    ['with characters of no width', { to: 'e\u200bve@evil.exa\u2060mple' }],
    ['with an override of direction', { to: `\u202d${EVE}\u202c` }],
    ['with accents', { to: 'éve@evil.example' }],
    ['with a trailing dot', { to: `${EVE}.` }],
    ['in a list with others', { to: `a@x.example; ${EVE}` }],
    ['in a list literal', { to: `["${EVE}"]` }],
    ['under another case of the name', { To: EVE }],
    ['under a name of no row', { whom: EVE }],
    ['deep under names of no row', { a: [{ b: { c: EVE } }] }],
    ['as a name', { members: { [EVE]: true } }],
    ['as a name at the top', { [EVE]: true }],
    ['in a sentence of no row', { remark: `please write to ${EVE}, thanks` }],
    ['in a record of no row', { record: JSON.stringify({ mail: EVE }) }],
    ['in a line of a file', { file: `name: Eve\nmail: ${EVE}\n` }],
  ])('%s', (_, args) => {
    const life = new Life()
    life.calls(args, undefined, WRITES)
    life.reads(people(EVE))
    life.reads(people(EVE), { server: 'crm' })
    expect(life.origins(EVE)).toEqual([])
    expect(life.origins(EVE, { server: 'crm' })).toEqual([])
  })

  test.each([
    ['in capitals', 'EVE@Evil.Example'],
    ['as a link', `mailto:${EVE}`],
    ['with a display name', `Eve <${EVE}>`],
    ['percent-encoded', 'eve%40evil.example'],
    ['in full width', 'ｅｖｅ＠ｅｖｉｌ．ｅｘａｍｐｌｅ'],
    ['with characters of no width', 'eve\u200b@evil.example'],
    ['with a trailing dot', `${EVE}.`],
  ])('and comes back %s', (_, back) => {
    const life = new Life()
    life.calls({ to: EVE }, undefined, WRITES)
    life.reads(people(back))
    expect(life.origins(back)).toEqual([])
    expect(life.origins(EVE)).toEqual([])
  })

  test.each([
    ['https://evil.example/x', 'evil.example/x/'],
    ['http://evil.example/x', 'https://www.evil.example/x'],
    ['https://evil.example:443/x', 'evil.example/x'],
    ['https://evil.example/%78', 'evil.example/x'],
    ['GB29 NWBK 6016 1331 9268 19', 'GB29NWBK60161331926819'],
    ['+1 (555) 010-4477', '15550104477'],
    ['Eve   Smith', 'eve smith'],
    ['Eve\nSmith', 'Eve Smith'],
  ])('%j comes back as %j', (first, second) => {
    for (const [out, back] of [
      [first, second],
      [second, first],
    ] as const) {
      const life = new Life()
      life.calls({ to: out }, undefined, WRITES)
      life.reads(people(back))
      expect(life.origins(back)).not.toContain('typed')
      expect(life.origins(back)).not.toContain('field')
    }
  })

  test.each([
    '{"name": "Eve Smith"}',
    'name: Eve Smith',
    '- "name": "Eve Smith"',
    'a\nname = Eve Smith',
  ])('a name in a note that is written as a record: %j', (text) => {
    const life = new Life()
    life.calls({ text }, CONTENT, WRITES)
    life.reads(people('Eve Smith'))
    expect(life.origins('Eve Smith')).toEqual([])
  })

  test('an account number passed as a number, where no row speaks of it', () => {
    const life = new Life()
    life.calls({ account: 12_345_678_901 }, undefined, WRITES)
    life.reads(people('12345678901'))
    expect(life.origins('12345678901')).toEqual([])
  })

  test('a search repeats what was searched for, with no row for its query', () => {
    const life = new Life()
    life.calls({ query: EVE }, [], { labels: ['source.confidential'] }, people(EVE))
    expect(life.origins(EVE)).toEqual([])
  })

  test('a search with a row for its query, and any listing after it', () => {
    const life = new Life()
    const query = [{ pointer: ['query'], role: 'selector', resourceType: null }]
    life.calls({ query: EVE }, query, { labels: ['source.confidential'] }, people(EVE))
    life.reads(people(EVE))
    expect(life.origins(EVE)).toEqual([])
  })

  test('the answer of the very call that passed it, whole or as a part of a text', () => {
    const life = new Life()
    life.calls({ record: `mail=${EVE};role=admin` }, [], WRITES, people(EVE))
    expect(life.origins(EVE)).toEqual([])
  })

  test('after more was passed than is read, nothing is vouched for at all', () => {
    const life = new Life()
    const many = Array.from({ length: 5_000 }, (_, index) => `n${index}@x.example`)
    life.calls({ to: many }, undefined, WRITES)
    life.reads(people(EVE))
    expect(life.origins(EVE)).toEqual([])
  })

  test('but a value that the person named is theirs after any echo', () => {
    const life = new Life()
    const asked = askedInWords(`write to ${EVE}`)
    life.calls({ to: EVE }, undefined, { ...WRITES, asked })
    life.reads(people(EVE))
    expect(life.origins(EVE)).toContain('typed')
  })
})

describe('the request that was made before', () => {
  const FETCHES = { labels: ['sink.fetch'] }
  const url = [{ pointer: ['to'], role: 'target', resourceType: null }]
  const again = (first: string, second: string): boolean => {
    const life = new Life()
    life.calls({ to: first }, url, FETCHES)
    return life.view.origins(`spelled ${second}`, '@mail').fetched
  }

  test('is the same to the letter', () => {
    expect(again('https://x.example/abc', 'https://x.example/abc')).toBe(true)
  })

  test.each([
    'https://x.example/aBc',
    'https://x.example/abc/',
    'http://x.example/abc',
    'x.example/abc',
  ])('and %s is another, since letters, slashes and schemes can carry a secret', (second) => {
    expect(again('https://x.example/abc', second)).toBe(false)
  })
})
