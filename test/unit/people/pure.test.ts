import { describe, expect, it } from 'vitest'
import { consentPath, loginPath, wantedPath } from '../../../src/page-addresses.ts'
import { readCookie, writeCookie } from '../../../src/people/cookies.ts'
import { readPending, writePending } from '../../../src/people/pending-login.ts'
import { isSealed, randomSecret, sealOf } from '../../../src/people/secret.ts'
import {
  hostOfClientId,
  inPlainLetters,
  redirectHosts,
  shown,
  shownHost,
  shownLines,
} from '../../../src/people/shown.ts'
import { readWanted } from '../../../src/people/wanted.ts'
import { distanceWords, timeWords } from '../../../src/people/words.ts'

describe('text of strangers', () => {
  it.each([
    ['plain', 'plain'],
    ['a\nb', 'a\\u{a}b'],
    ['\u202eevil', '\\u{202e}evil'],
    ['a\u2066b\u2069', 'a\\u{2066}b\\u{2069}'],
    ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
    ['\u2028line', '\\u{2028}line'],
    ['\ud800', '\\u{d800}'],
    ['acme-agent\u034f', 'acme-agent\\u{34f}'],
    ['acme-agent\ufe0f', 'acme-agent\\u{fe0f}'],
    ['acme\u3164agent\uffa0\u115f\u2800', 'acme\\u{3164}agent\\u{ffa0}\\u{115f}\\u{2800}'],
    ['a\u00a0b\u2003c\u3000', 'a\\u{a0}b\\u{2003}c\\u{3000}'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    [' a  b ', '\\u{20}a\\u{20} b\\u{20}'],
    ['a b', 'a b'],
    ['\u2764\ufe0f', '\u2764\ufe0f'],
    ['e\u0301\u0301\u0301\u0301\u0301', 'e\u0301\u0301\u0301'],
    ['שלום 😀', 'שלום 😀'],
  ])('%j is shown as %j', (text, expected) => expect(shown(text)).toBe(expected))

  it('is bounded, and no letter is cut in two', () => {
    expect(shown('😀'.repeat(100), 10)).toBe(`${'😀'.repeat(9)}…`)
    expect(shown('x'.repeat(1_000_000), 10)).toBe(`${'x'.repeat(9)}…`)
    expect(shown('x'.repeat(10), 10)).toBe('x'.repeat(10))
  })

  it('keeps its lines where it has some, within bounds', () => {
    expect(shownLines(' a\r\n\tb\n\n\n\n\nc\u202e ')).toEqual(['a', '  b', '', 'c\\u{202e}'])
    const many = shownLines('x\n'.repeat(500))
    expect([many.length, many.at(-1)]).toEqual([40, 'x…'])
    expect(shownLines('x'.repeat(9_000)).join('')).toBe(`${'x'.repeat(1_999)}…`)
  })

  it.each([
    ['acme-agent', null],
    ['\u0430cme-agent', '\\u{430}cme-agent'],
    ['caf\u00e9', 'caf\\u{e9}'],
  ])('as an id %j is told apart in plain letters: %j', (text, expected) =>
    expect(inPlainLetters(text)).toBe(expected),
  )

  it.each([
    ['agent.example', 'agent.example'],
    ['AGENT.example:8443', 'agent.example:8443'],
    ['\u0430pple.com', 'xn--pple-43d.com'],
    ['agent.example@evil.example', 'agent.example@evil.example'],
    ['a b', 'a b'],
    ['evil.example/agent.example', 'evil.example/agent.example'],
  ])('the host %s is shown as %s', (text, expected) => expect(shownHost(text)).toBe(expected))

  it('only an https url as client id has a host that is proven', () => {
    expect(hostOfClientId('https://client.example/meta.json')).toBe('client.example')
    expect(hostOfClientId('http://client.example/')).toBeNull()
    expect(hostOfClientId('client.example')).toBeNull()
    expect(hostOfClientId('https://')).toBeNull()
  })

  it('a list of hosts is a short list of texts', () => {
    expect(redirectHosts('["a.example", 7, null, "b.example"]')).toEqual(['a.example', 'b.example'])
    expect(redirectHosts('{"a":1}')).toEqual([])
    expect(redirectHosts(JSON.stringify(Array(50).fill('x')))).toHaveLength(10)
  })
})

describe('an address', () => {
  const hostile = 'a&tool=b#c/../\r\n"<'
  it('carries names as they are, and nothing else of them', () => {
    const url = new URL(consentPath('crm', { client: hostile, tool: hostile }), 'https://x.example')
    expect(url.pathname).toBe('/consents/crm')
    expect(Object.fromEntries(url.searchParams)).toEqual({ client: hostile, tool: hostile })
    expect(url.hash).toBe('')
  })

  it.each([
    { client: 'c', tool: 't', access: null },
    { client: hostile.replace(/[\r\n]/g, ''), tool: null, access: 'read' },
  ])('asks for what it was made of: %o', (wanted) => {
    for (const path of [wantedPath('crm', wanted), loginPath('crm', 'https://i.example', wanted)]) {
      expect(readWanted(new URL(path, 'https://x.example').searchParams)).toEqual(wanted)
    }
  })

  it.each([
    '',
    'tool=x',
    'client=',
    'client=a',
    'client=a&access=all',
    'client=a&what=x:y',
    'client=a%00&tool=b',
  ])('of `%s` asks for nothing', (query) =>
    expect(readWanted(new URLSearchParams(query))).toBeNull(),
  )
})

describe('a cookie', () => {
  const at = (url: string, cookie: string) => new Request(url, { headers: { cookie } })

  it('is bound to its host over https, and has another name on a loopback origin', () => {
    expect(writeCookie(new Request('https://mcp.example.com/x'), 'person', 'v', 60)).toBe(
      '__Host-sallyport-person=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure',
    )
    expect(writeCookie(new Request('http://localhost:8787/x'), 'person', 'v', 60)).toBe(
      'sallyport-person=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax',
    )
  })

  it('without its prefix is none, and two of one name are none', () => {
    const https = 'https://mcp.example.com/x'
    expect(readCookie(at(https, 'a=b; __Host-sallyport-person=v'), 'person')).toBe('v')
    expect(readCookie(at(https, 'sallyport-person=v'), 'person')).toBeNull()
    expect(
      readCookie(at(https, '__Host-sallyport-person=v; __Host-sallyport-person=w'), 'person'),
    ).toBeNull()
    expect(readCookie(at(https, 'x__Host-sallyport-person=v'), 'person')).toBeNull()
  })
})

describe('a seal', () => {
  it('holds for these texts in this order with this secret', async () => {
    const secret = randomSecret()
    const seal = await sealOf(secret, ['a', 'b,c', ''])
    expect(await isSealed(secret, ['a', 'b,c', ''], seal)).toBe(true)
    for (const parts of [
      ['a', 'b', 'c', ''],
      ['a,b', 'c', ''],
      ['b,c', 'a', ''],
      ['a', 'b,c'],
    ]) {
      expect(await isSealed(secret, parts, seal)).toBe(false)
    }
    expect(await isSealed(randomSecret(), ['a', 'b,c', ''], seal)).toBe(false)
    expect(await isSealed(secret, ['a', 'b,c', ''], '')).toBe(false)
  })
})

describe('a pending login', () => {
  const login = {
    server: 'crm',
    issuer: 'https://i.example',
    state: randomSecret(),
    nonce: randomSecret(),
    verifier: randomSecret(),
    startedAt: 1_000_000,
    wanted: { client: 'ä', tool: 't', access: null },
  }
  const text = writePending(login) ?? ''

  it('comes back as it went, for ten minutes', () => {
    expect(readPending(text, 1_000_000)).toEqual(login)
    expect(readPending(text, 1_600_000)).toEqual(login)
    expect(readPending(text, 1_600_001)).toBeNull()
    expect(readPending(text, 999_999)).toBeNull()
  })

  it.each<[string, Record<string, unknown>]>([
    ['a server that is a path', { server: '../x' }],
    ['a state that is short', { state: 'x' }],
    ['no verifier', { verifier: undefined }],
    ['a time that is text', { startedAt: '1' }],
  ])('with %s is none', (_, change) => {
    const changed = writePending({ ...login, ...change })
    expect(readPending(changed, 1_000_000)).toBeNull()
  })

  it.each([null, '', 'x', '{}', 'A'.repeat(5_000), btoa('null'), btoa('[]'), btoa('"x"')])(
    'of %j is none',
    (value) => expect(readPending(value, 1_000_000)).toBeNull(),
  )

  it('that fits into no cookie is not written', () => {
    const wanted = { client: 'x'.repeat(4_000), tool: null, access: 'read' }
    expect(writePending({ ...login, wanted })).toBeNull()
  })
})

describe('a time', () => {
  const now = 1_800_000_000_000
  it.each([
    [now, 'just now'],
    [now + 59_000, 'in less than a minute'],
    [now + 60_000, 'in 1 minute'],
    [now - 90 * 60_000, '90 minutes ago'],
    [now + 24 * 3_600_000, 'in 24 hours'],
    [now - 72 * 3_600_000, '3 days ago'],
  ])('of %d is told as `%s`', (at, words) => expect(distanceWords(at, now)).toBe(words))

  it.each([
    [0, '1970-01-01 00:00 UTC'],
    [-1, 'at no known time'],
    [9e18, 'at no known time'],
    [Number.NaN, 'at no known time'],
  ])('of %d is written as `%s`', (at, words) => expect(timeWords(at)).toBe(words))
})
