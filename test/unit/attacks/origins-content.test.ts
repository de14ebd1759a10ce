import { describe, expect, test } from 'vitest'
import { readOther, readResult, MAX_READ } from '../../../src/mcp/reading.ts'
import { argumentValues } from '../../../src/pdp/provenance/arguments.ts'
import { canon } from '../../../src/pdp/provenance/canon.ts'
import { parseOrigins, comesFrom } from '../../../src/pdp/provenance/combination.ts'
import { findOrigins, MOST_LEAVES, type OriginRow } from '../../../src/pdp/provenance/fields.ts'
import { observationOf } from '../../../src/pep/observe.ts'
import { Life, LISTS } from '../pdp/provenance/life.ts'
import { step, value, View } from '../pdp/provenance/view.ts'

const inContent = (body: unknown): string[] =>
  (
    argumentValues({ body } as never, [
      { pointer: ['body'], role: 'content', resourceType: null },
    ]) ?? []
  ).flatMap(({ role, text }) => (role === 'content' ? [text] : []))

describe('an address in what is sent is found', () => {
  test.each([
    ['a link of Markdown', '[safe](https://evil.example/x)', 'evil.example/x'],
    ['a picture of Markdown', '![](https://evil.example/x?d=1)', 'evil.example/x?d=1'],
    ['a reference of Markdown', '[a]: //evil.example/x', 'evil.example/x'],
    ['HTML', '<img src=//evil.example/x>', 'evil.example/x'],
    ['HTML with numbered letters', 'https://evil&#46;example/x', 'evil.example/x'],
    ['HTML with hexadecimal letters', 'h&#x74;tps://evil.example/x', 'evil.example/x'],
    ['defanged', 'hxxps://evil[.]example/x', 'evil.example/x'],
    ['defanged in words', 'eve (at) evil (dot) example', 'eve@evil.example'],
    ['punycode', 'see xn--vil-9la.xn--p1ai now', 'xn--vil-9la.xn--p1ai'],
    ['letters of another script', 'eve@еvil.example', 'eve@еvil.example'],
    ['full width', 'ｅｖｉｌ．ｃｏｍ', 'evil.com'],
    ['an ideographic full stop', 'evil。com', 'evil.com'],
    ['characters of no width', 'https://ev\u200bil.exa\u2060mple/x', 'evil.example/x'],
    ['an override of direction', '\u202eeve@evil.example\u202c', 'eve@evil.example'],
    ['a soft hyphen', 'ev\u00adil.com', 'evil.com'],
    ['an address of four numbers', 'curl 203.0.113.9', '203.0.113.9'],
    ['a decimal address', 'http://3405803785/x', '3405803785/x'],
    ['a hexadecimal address', 'http://0xCB007109', '0xcb007109'],
    ['an octal address', 'http://0313.0.0161.011/', '0313.0.0161.011'],
    ['one slash', 'https:/evil.ninja/x', 'evil.ninja/x'],
    ['no slash', 'https:evil.ninja', 'evil.ninja'],
    ['another scheme', 'ftp://evil.ninja/x', 'ftp://evil.ninja/x'],
    ['`www`', 'go to www.evil.ninja', 'www.evil.ninja'],
    ['the copy of a mail', 'mailto:bob@corp.example?cc=eve@evil.example', 'eve@evil.example'],
    ['the user of a URL', 'https://corp.example@evil.com/', 'corp.example@evil.com'],
    ['an account in groups', 'to GB29 NWBK 6016 1331 9268 19.', 'gb29nwbk60161331926819'],
    ['a long word', `${'x'.repeat(5_000)}=https://evil.example/x`, 'evil.example/x'],
    ['one item of a list', ['hi', 'eve@evil.example'], 'eve@evil.example'],
    ['a value of a record', { a: { b: 'eve@evil.example' } }, 'eve@evil.example'],
  ])('%s', (_, body, expected) => {
    expect(inContent(body)).toContain(expected)
  })

  test.each([
    ['base64', 'ZXZlQGV2aWwuZXhhbXBsZQ=='],
    ['split over two items', ['eve@evil', '.example']],
    ['split by spaces', 'e v e @ e v i l . e x a m p l e'],
    ['described in words', 'evil, then a full stop, then example'],
    ['a rare ending with neither scheme nor `www`', 'visit evil.ninja/x'],
  ])('%s is not: docs/evaluation.md says so', (_, body) => {
    expect(inContent(body).join(' ')).not.toContain('evil')
  })

  test('more addresses than are kept are no list at all', () => {
    const body = Array.from({ length: 300 }, (_, index) => `a${index}@x.example`).join(' ')
    expect(
      argumentValues({ body }, [{ pointer: ['body'], role: 'content', resourceType: null }]),
    ).toBeNull()
  })
})

describe('other roles', () => {
  test('a command is compared whole: what was named inside it names none of it', () => {
    const parsed = parseOrigins(['user+no_secret'])
    const ask = { ...step({}).asked, text: 'run ls -la please' }
    const from = (text: string, view = new View()) =>
      parsed.ok && comesFrom(parsed.value, value(text, null, 'command'), view, step({ asked: ask }))
    expect(from('ls -la')).toBe(true)
    expect(from('ls -la; curl evil.com')).toBe(false)
    const secret = new View()
    secret.now = { ...secret.now, privateRead: true }
    expect(from('ls -la', secret)).toBe(false)
  })

  test('a credential that only results hold is not the person’s', () => {
    const life = new Life()
    life.reads({ people: [{ mail: 'hunter2' }] })
    const parsed = parseOrigins(['user'])
    const held = value('hunter2', 'email', 'credential')
    expect(parsed.ok && comesFrom(parsed.value, held, life.view, step({}))).toBe(false)
  })

  test.each([
    ['/home/a', '/home/b'],
    ['x.example/a', 'x.example/a?b'],
    ['bob@x.example', 'b.ob@x.example'],
    ['bob', 'b\u043eb'],
    ['a b', 'ab'],
  ])('%j and %j are two values', (first, second) => {
    expect(canon(first)).not.toBe(canon(second))
  })
})

describe('a result', () => {
  const found = (result: object, rows: readonly OriginRow[] = [LISTS]) =>
    observationOf(
      'd',
      {
        kind: 'result',
        result: result as never,
        letters: JSON.stringify(result).length,
        labels: [],
      },
      rows,
    )
  const text = (value: unknown) => ({
    type: 'text',
    text: typeof value === 'string' ? value : JSON.stringify(value),
  })
  const people = (mail: string) => ({ people: [{ mail }] })
  const mails = (result: object) => found(result).listed.map((one) => one.text)

  test('whose text says otherwise than its structure lists what is structured', () => {
    const result = {
      structuredContent: people('bob@x.example'),
      content: [text(people('eve@x.example'))],
    }
    expect(mails(result)).toEqual(['bob@x.example'])
    expect(found(result).fields).toEqual(['bob@x.example'])
    expect(found(result).mentions).toContain('eve@x.example')
  })

  test('whose text has one name twice is no structure', () => {
    const twice = '{"people":[{"mail":"bob@x.example","mail":"eve@x.example"}]}'
    expect(mails({ content: [text(twice)] })).toEqual([])
    expect(found({ content: [text(twice)] }).fields).not.toContain('eve@x.example')
  })

  test('with JSON inside of a text lists nothing of it', () => {
    const result = {
      structuredContent: { people: JSON.stringify([{ mail: 'eve@x.example' }]) },
      content: [],
    }
    expect(mails(result)).toEqual([])
    expect(found(result).fields).not.toContain('eve@x.example')
  })

  test('in several blocks lists nothing where one row speaks of one', () => {
    expect(
      mails({ content: [text(people('bob@x.example')), text(people('eve@x.example'))] }),
    ).toEqual([])
    expect(mails({ content: [text(people('bob@x.example')), text('and eve')] })).toEqual([])
  })

  test('that is an error vouches for nothing that it repeats', () => {
    expect(
      found({ isError: true, structuredContent: people('eve@x.example'), content: [] }),
    ).toMatchObject({
      listed: [],
      fields: [],
    })
    expect(found({ isError: true, content: [text('eve@x.example')] }).fields).toEqual([])
  })

  test('with a link or an embedded resource lists nothing of it, and mentions all of it', () => {
    const link = { type: 'resource_link', uri: 'https://evil.example/x', name: 'eve@x.example' }
    const embedded = { type: 'resource', resource: { uri: 'a://b', text: 'eve@y.example' } }
    const read = found({ content: [link, embedded] })
    expect([read.listed, read.fields]).toEqual([[], []])
    expect(read.mentions).toEqual(
      expect.arrayContaining(['evil.example/x', 'eve@x.example', 'eve@y.example']),
    )
  })

  test('with a block that nobody reads counts as holding anything', () => {
    const image = { type: 'image', data: 'AAAA', mimeType: 'image/png' }
    expect(found({ content: [image] })).toMatchObject({ rows: null, overflow: true })
  })

  test('over the bound gives no origin, and counts as holding anything', () => {
    const large = {
      structuredContent: people('bob@x.example'),
      content: [text('x'.repeat(MAX_READ))],
    }
    expect(found(large)).toMatchObject({
      listed: [],
      fields: [],
      mentions: [],
      rows: null,
      overflow: true,
    })
    const many = {
      ...people('bob@x.example'),
      rest: Array.from({ length: MOST_LEAVES }, (_, n) => n),
    }
    expect(found({ structuredContent: many, content: [] })).toMatchObject({
      listed: [],
      fields: [],
      overflow: true,
    })
  })

  test('of progress, a log or an error message is no listing, not even one word', () => {
    expect(readOther({ data: 'eve@x.example' }, 30).structured).toBeNull()
    expect(findOrigins(readOther({ 'eve@x.example': null }, 30), [LISTS])).toMatchObject({
      listed: [],
      fields: [],
    })
  })

  test('of plain words is read as before', () => {
    expect(readResult({ content: [text('bob')] }, 60).structured).toBeUndefined()
  })
})
