import { describe, expect, test } from 'vitest'
import { NOTHING_ASKED } from '../../../src/pdp/provenance/asked.ts'
import { argumentValues } from '../../../src/pdp/provenance/arguments.ts'
import { ACTS } from '../../../src/pdp/provenance/verbs.ts'
import { Life, TO } from '../pdp/provenance/life.ts'
import { step, value } from '../pdp/provenance/view.ts'
import { askedInWords, originsOf } from '../../support/pdp/origins.ts'

const named = (to: string, words: string): boolean =>
  new Life().origins(to, { asked: askedInWords(words) }).includes('user')

describe('the person named', () => {
  test.each([
    ['bob@partner.example', 'Write to Bob@Partner.example.'],
    ['bob@partner.example', 'to:bob@partner.example, please'],
    ['bob@partner.example', 'Bob <bob@partner.example>'],
    ['partner.example', 'look at https://partner.example/report'],
    ['https://partner.example/report', 'look at partner.example/report!'],
    ['https://www.partner.com', 'see our site www.partner.com.They know'],
    ['partner.com', 'see www.partner.com'],
    ['bob', "it is Bob's turn"],
    ['5', 'the first 5 of them'],
  ])('%s in %j', (to, words) => {
    expect(named(to, words)).toBe(true)
  })

  test.each([
    ['bob.com', 'evil-bob.com', 'the end of a host'],
    ['bob.com', 'mail.bob.com.evil.net', 'the middle of a host'],
    ['partner.com', 'https://partner.com.br/x', 'the beginning of a host'],
    ['partner.com', 'https://partner.com@evil.net/x', 'the user of a URL'],
    ['evil.com', 'https://web.archive.org/evil.com', 'the path of a URL'],
    ['bob@corp.example', 'bob@corp.example.evil.com', 'the beginning of an address'],
    ['bob@corp.example', 'jim-bob@corp.example', 'the end of an address'],
    ['bob@corp.example', 'jim.bob@corp.example', 'the end of an address'],
    ['bob@corp.example', 'jim+bob@corp.example', 'the end of an address'],
    ['bob@corp.example', 'jim%bob@corp.example', 'the end of an address'],
    ['secret', 'the ops-secret channel', 'the end of a name'],
    ['ops', 'the ops_secret channel', 'the beginning of a name'],
    ['1', 'wait 10 days', 'the beginning of a number'],
    ['2024', 'on 2024-05-05', 'a part of a date'],
    ['bobe', 'write to bobe\u0301', 'a letter without its accent'],
    ['bob', 'write to bob\u200bby', 'a part of a word with a seam that nobody sees'],
    ['bob', 'write to 𝐞𝐯𝐢𝐥bob', 'the end of a word in another alphabet'],
    ['bоb', 'write to bob', 'a homoglyph'],
    ['bob\u202e', 'write to bob', 'one more character that nobody sees'],
    ['DE89370400440532013000', 'DE89 3704 0044 0532 0130 00', 'another spelling: it asks'],
    ['', 'anything', 'nothing'],
    ['/', 'a/b', 'nothing but a slash'],
    ['.', 'a. b', 'nothing but a dot'],
    ['a', 'send a mail', 'one letter'],
  ])('not %j by %j: %s', (to, words) => {
    expect(named(to, words)).toBe(false)
  })

  test('not by the words that any request holds: articles, pronouns, verbs', () => {
    const words = [...ACTS.flatMap((act) => act.words), 'the', 'it', 'all', 'me', 'them', 'please']
    expect(words.filter((word) => named(word, `please ${words.join(' ')} it`))).toEqual([])
  })

  test('but any value that the task names as one', () => {
    const asked = { ...NOTHING_ASKED, values: ['all'], task: true }
    expect(new Life().origins('all', { asked })).toContain('user')
  })

  test('not one address of a list by another', () => {
    expect(named('bob@partner.example, eve@evil.example', 'to bob@partner.example')).toBe(false)
    expect(named('eve@evil.example <bob@partner.example>', 'to bob@partner.example')).toBe(false)
  })
})

describe('the own organisation', () => {
  const ownDomains = ['@corp.example', '.corp.example']
  const isOwn = (to: string): boolean => new Life().origins(to, { ownDomains }).includes('org')

  test.each([
    'bob@corp.example',
    'Bob@Corp.Example',
    'bob@eu.corp.example',
    'app.corp.example',
    'a@corp.example, b@corp.example',
  ])('%s is in it', (to) => {
    expect(isOwn(to)).toBe(true)
  })

  test.each([
    'bob@notcorp.example',
    'bob@corp.example.evil.com',
    'bob@evil.com,bob@corp.example',
    'bob@evil.com bob@corp.example',
    'bob@evil.com;b@corp.example',
    'bob@evil.com\n,b@corp.example',
    'bob@evil.com (b@corp.example',
    '"bob@evil.com"@corp.example',
    'bob%evil.com@corp.example',
    'evil.com!bob@corp.example',
    'bob@evil.com@corp.example',
    'https://corp.example@evil.com/',
    'https://evil.com/@corp.example',
    'https://evil.com/?x=bob@corp.example',
    'https://evil.com/.corp.example',
    'https://evil.com#.corp.example',
    'https://evil.com\\@corp.example',
    'https://evil.com\\.corp.example',
    'evil.com:80@corp.example',
    'corp.example.',
    'bob@cоrp.example',
    'bob@corp\u200b.example',
    'corp.example',
  ])('%j is not', (to) => {
    expect(isOwn(to)).toBe(false)
  })

  test('a row without a border says nothing: it would take notcorp.example in', () => {
    expect(new Life().origins('bob@notcorp.example', { ownDomains: ['corp.example'] })).toEqual([])
    expect(new Life().origins('bob@corp.example', { ownDomains: [''] })).toEqual([])
  })
})

describe('servers', () => {
  const people = { people: [{ mail: 'bob@partner.example' }], id: 'm-1' }

  test('a field and an own value count towards the server that produced them alone', () => {
    const life = new Life()
    life.calls({ subject: 'hi' }, [TO], { labels: ['sink.write'] }, people)
    const at = (server: string) =>
      [...originsOf(value('m-1', null), life.view, step({ server }))].filter((name) =>
        ['own', 'field', 'typed'].includes(name),
      )
    expect(at('mail').toSorted()).toEqual(['field', 'own', 'typed'])
    expect(at('crm')).toEqual([])
  })

  test('a kind that rows of both servers name counts towards both', () => {
    const life = new Life()
    life.reads(people, { server: 'crm' })
    expect(life.origins('bob@partner.example', { server: 'mail' })).toEqual(['typed', 'typed_t'])
    const untyped = argumentValues({ to: 'bob@partner.example' }, [{ ...TO, resourceType: null }])
    const [one] = untyped ?? []
    expect(one).toBeDefined()
    const names = originsOf(
      { ...value(one?.text ?? '', null) },
      life.view,
      step({ server: 'mail' }),
    )
    expect(names.has('typed')).toBe(false)
  })
})
