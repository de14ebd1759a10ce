import { describe, expect, it } from 'vitest'
import { resourceName, type ResourceForm } from '../../../src/pdp/resource-name.ts'

/** Form, what is written, and the one name that it is; null: no name. Why is in the last column. */
type Cell = readonly [ResourceForm, string, string | null, string]

const CELLS: readonly Cell[] = [
  ['exact', 'Case A/../b%20', 'Case A/../b%20', 'byte for byte'],
  ['exact', ' a ', ' a ', 'spaces are letters'],
  ['exact', '', null, 'nothing is no name'],
  ['exact', 'a\u0000b', null, 'ends early in some readers'],
  ['exact', 'a\nb', null, 'ends early in others'],
  ['exact', 'a\u200bb', null, 'zero width: nobody sees it'],
  ['exact', 'a\u202eb', null, 'turns what is read around'],
  ['exact', 'a\u00adb', null, 'a soft hyphen: nobody sees it'],
  ['exact', 'a\u2028b', null, 'a line break in some logs'],
  ['exact', '\u{e0041}', null, 'a tag: nobody sees it'],
  ['exact', '\ud800', null, 'half a pair is written differently by all'],
  ['exact', '😀', '😀', 'a whole pair is a letter'],
  ['lower', 'ACME', 'acme', 'letters of any case are equal'],
  ['lower', '\u212a', 'k', 'the sign for Kelvin is a letter'],
  ['lower', 'ß', 'ß', 'and is not `ss`'],
  ['lower', 'ΟΔΟΣ', 'οδοσ', 'a small sigma has one form'],
  ['lower', 'caf\u00e9', 'caf\u00e9', 'a composed letter'],
  ['lower', 'cafe\u0301', null, 'a letter in two pieces'],
  ['lower', 'I\u0307', 'i\u0307', 'a letter that has no composed form'],
  ['lower', '\u0130', 'i\u0307', 'and the same letter'],

  ['path', '/a/./b', '/a/b', 'a dot is where it stands'],
  ['path', '/a/../b', '/b', 'two dots lead up'],
  ['path', 'a//b/', 'a/b', 'doubled slashes are one, the last is none'],
  ['path', '//a', '/a', 'at the beginning, too'],
  ['path', './a', 'a', 'from where one stands'],
  ['path', '/', '/', 'the root'],
  ['path', '.', null, 'wherever one stands is no name'],
  ['path', '/..', null, 'above the root'],
  ['path', 'a/../../b', null, 'above where one stands'],
  ['path', 'a/..', null, 'wherever one stands is no name'],
  ['path', '...', '...', 'three dots are a name'],
  ['path', 'A', 'A', 'case counts'],
  ['path', 'a\\..\\b', null, 'a separator to some'],
  ['path', '%2e%2e/b', null, 'an escape to some'],
  ['path', 'a%', null, 'an escape to some'],
  ['path', 'a\u0000.txt', null, 'ends early in some readers'],

  ['host', 'Example.COM', 'example.com', 'case does not count'],
  ['host', 'example.com.', 'example.com', 'the root label may be left out'],
  ['host', 'münchen.de', 'xn--mnchen-3ya.de', 'IDNA'],
  ['host', 'mu\u0308nchen.de', 'xn--mnchen-3ya.de', 'IDNA composes'],
  ['host', 'xn--mnchen-3ya.de', 'xn--mnchen-3ya.de', 'IDNA, written out'],
  ['host', 'ｅxample．com', 'example.com', 'IDNA maps wide letters and dots'],
  ['host', 'exa\u200bmple.com', null, 'zero width'],
  ['host', '127.1', '127.0.0.1', 'one address'],
  ['host', '0x7f.0.0.1', '127.0.0.1', 'one address'],
  ['host', '2130706433', '127.0.0.1', 'one address'],
  ['host', '[::1]', '[::1]', 'one address'],
  ['host', '[0:0:0:0:0:0:0:1]', '[::1]', 'one address'],
  ['host', '::1', null, 'without brackets its end is unclear'],
  ['host', 'example.com:443', null, 'a port is no part of it'],
  ['host', 'example.com:8443', null, 'a port is no part of it'],
  ['host', '[::1]:443', null, 'a port is no part of it'],
  ['host', 'user@example.com', null, 'a user is no part of it'],
  ['host', 'example.com/x', null, 'a path is no part of it'],
  ['host', 'example.com#x', null, 'a fragment is no part of it'],
  ['host', 'ex%61mple.com', null, 'an escape to some'],
  ['host', 'a b', null, 'two words'],
  ['host', '.', null, 'the root alone'],

  ['email', 'Ann@Example.COM', 'ann@example.com', 'case does not count'],
  ['email', 'ann@example.com.', 'ann@example.com', 'the root label may be left out'],
  ['email', 'ann@münchen.de', 'ann@xn--mnchen-3ya.de', 'IDNA'],
  ['email', 'ann+tag@example.com', 'ann+tag@example.com', 'another box to some servers'],
  ['email', 'Ann <ann@example.com>', null, 'a display name'],
  ['email', '<ann@example.com>', null, 'brackets'],
  ['email', '"ann"@example.com', null, 'a quoted local part'],
  ['email', '"a b"@example.com', null, 'a quoted local part'],
  ['email', '"a\\"@x.org"@example.com', null, 'a quoted local part'],
  ['email', 'ann(x)@example.com', null, 'a comment'],
  ['email', 'ann@x.org@example.com', null, 'two domains'],
  ['email', 'ann@x.org,bob@example.com', null, 'two addresses'],
  ['email', 'ann@x.org;bob@example.com', null, 'two addresses'],
  ['email', 'mailto:ann@example.com', null, 'a URI'],
  ['email', ' ann@example.com', null, 'a space'],
  ['email', 'ann@example.com\r\nBcc: x@y.z', null, 'a second line'],
  ['email', 'ann@example.com:25', null, 'a port'],
  ['email', 'ann@', null, 'no domain'],
  ['email', '@example.com', null, 'no local part'],
  ['email', 'ann', null, 'no domain'],

  ['url', 'HTTPS://Example.COM:443/a', 'https://example.com/a', 'scheme, host, port of its own'],
  ['url', 'https://example.com', 'https://example.com/', 'an empty path'],
  ['url', 'https:example.com/a', 'https://example.com/a', 'as WHATWG reads it'],
  ['url', 'https:///example.com/a', 'https://example.com/a', 'as WHATWG reads it'],
  ['url', 'https://example.com./a', 'https://example.com/a', 'the root label'],
  ['url', 'https://ex%61mple.com/', 'https://example.com/', 'escapes in a host'],
  ['url', 'https://münchen.de/', 'https://xn--mnchen-3ya.de/', 'IDNA'],
  ['url', 'http://0x7f.1/', 'http://127.0.0.1/', 'one address'],
  ['url', 'https://h/a/./b/../c', 'https://h/a/c', 'dots'],
  ['url', 'https://h/a/%2e%2E/c', 'https://h/c', 'escaped dots'],
  ['url', 'https://h/.%2e/c', 'https://h/c', 'half escaped dots'],
  ['url', 'https://h/%61?%62=%63', 'https://h/a?b=c', 'escapes that nobody needs'],
  ['url', 'https://h/%7euser', 'https://h/~user', 'escapes that nobody needs'],
  ['url', 'https://h/%c3%a9', 'https://h/%C3%A9', 'case of escapes'],
  ['url', 'https://h/é', 'https://h/%C3%A9', 'as it is sent'],
  ['url', 'https://h/a#part', 'https://h/a', 'no server sees a fragment'],
  ['url', 'https://h/a#', 'https://h/a', 'no server sees a fragment'],
  ['url', 'https://h//a', 'https://h//a', 'servers see both slashes'],
  ['url', 'https://h/a/', 'https://h/a/', 'servers see the last slash'],
  ['url', 'https://h:8443/', 'https://h:8443/', 'another port is another server'],
  ['url', 'https://h:0443/', 'https://h/', 'as WHATWG reads it'],
  ['url', 'https://user@h/', null, 'a user'],
  ['url', 'https://user:secret@h/', null, 'a credential'],
  ['url', 'https://trusted.example@evil.example/', null, 'looks like another host'],
  ['url', 'https://h\\@evil.example/', null, 'a backslash'],
  ['url', 'https://h/a b', null, 'a space'],
  ['url', 'https://h/\ta', null, 'WHATWG drops it, others do not'],
  ['url', ' https://h/', null, 'WHATWG drops it, others do not'],
  ['url', '//h/a', null, 'without a scheme it depends on where one stands'],
  ['url', '/a', null, 'without a scheme it depends on where one stands'],
  ['url', 'https://', null, 'no host'],
  ['url', 'https://h:99999/', null, 'no port'],
  ['url', 'https://h/\u200b', null, 'zero width'],
  ['url', 'https://x/mcp?', 'https://x/mcp', 'a query of nothing'],
  ['url', 'https://x/mcp?#a', 'https://x/mcp', 'a query of nothing'],
  ['url', 'https://x/mcp??', 'https://x/mcp??', 'a query of a question mark'],
  ['url', 'https://x/mcp?a=', 'https://x/mcp?a=', 'a value of nothing'],
  ['url', 'https://x/a%3Fb', 'https://x/a%3Fb', 'an escape that is needed'],
  ['url', 'https://x/?a=%26b', 'https://x/?a=%26b', 'an escape that is needed'],
  ['url', 'https://x/%2541', 'https://x/%2541', 'an escape of an escape is not taken in'],
  ['url', 'https://x/%2f', null, 'a separator to some'],
  ['url', 'https://x/?a=%0a', null, 'a second line'],
  ['url', 'https://h../', null, 'an empty label'],
  ['url', "https://h'x/", null, 'no plain host'],
  ['url', 'https://a,b/', null, 'two hosts to some'],
  ['url', 'foo://h%2e/', null, 'an escape in a host that nobody takes in'],
  ['url', 'foo://h../', null, 'an empty label'],
  ['url', 'foo://h./a', 'foo://h/a', 'the root label'],
  ['url', 's3://bucket.name/a/b', 's3://bucket.name/a/b', 'another scheme'],
  ['url', 'file:///a/../b', 'file:///b', 'another scheme, and no host'],
  ['url', 'note:a%3Ab', 'note:a:b', 'no host and no path'],
  ['url', 'postgres://[::1]:5432/db', 'postgres://[::1]:5432/db', 'an address'],
]

describe('one spelling for each resource', () => {
  it.each(CELLS)('%s %j is %j: %s', (form, text, name) => {
    expect(resourceName(form, text)).toBe(name)
  })

  it('a name is at most 2,000 characters long, in its form too', () => {
    for (const form of ['exact', 'lower', 'path'] as const) {
      expect(resourceName(form, 'a'.repeat(2_000)), form).toHaveLength(2_000)
      expect(resourceName(form, 'a'.repeat(2_001)), form).toBeNull()
    }
    // 700 letters, three escapes each.
    expect(resourceName('url', `https://h/${'é'.repeat(700)}`)).toBeNull()
    expect(resourceName('lower', 'İ'.repeat(2_000))).toBeNull()
  })

  it('composed and decomposed letters are two names where the form is byte for byte', () => {
    expect(resourceName('exact', 'caf\u00e9')).not.toBe(resourceName('exact', 'cafe\u0301'))
    // As WHATWG writes them; servers see different bytes.
    expect(resourceName('url', 'https://h/\u00e9')).not.toBe(
      resourceName('url', 'https://h/e\u0301'),
    )
  })
})

// Each of these is read as one thing by the servers behind us and has two names here, so that a row on
// the one says nothing of the other.
describe('spellings that are still told apart', () => {
  const namesOf = (form: ResourceForm, ...spellings: string[]) => {
    const names = spellings.map((text) => resourceName(form, text))
    return new Set(names.filter((name) => name !== null)).size
  }

  it('a comment behind the domain of an address (RFC 5322 §3.2.2)', () => {
    expect(namesOf('email', 'ann@example.com', 'ann@example.com(x)')).toBeLessThanOrEqual(1)
  })
  it('a list of addresses behind the domain of the first', () => {
    expect(resourceName('email', 'ann@example.com,bob')).toBeNull()
  })
  it.each(['a,b', 'a;b', 'a(b)', 'a"b', "a'b", 'a*b', 'a{b}', 'a=b', 'a&b', 'a`b', 'a!b'])(
    '%s is no host: letters, digits, dots, hyphens and underscores are (RFC 1123 §2.1)',
    (text) => {
      expect(resourceName('host', text)).toBeNull()
    },
  )
  it.each(['path', 'lower', 'email'] as const)(
    'letters composed and decomposed: %s (a file system that composes names has one file)',
    (form) => {
      const after = form === 'email' ? '@example.com' : ''
      expect(namesOf(form, `caf\u00e9${after}`, `cafe\u0301${after}`)).toBeLessThanOrEqual(1)
    },
  )
  it('the two small sigmas', () => {
    expect(namesOf('lower', 'ΟΔΟΣ', 'οδος', 'οδοσ')).toBeLessThanOrEqual(1)
  })
  it('escapes of what needs none in a path: most servers see the same', () => {
    expect(namesOf('url', 'https://h/a$b', 'https://h/a%24b')).toBeLessThanOrEqual(1)
  })
  it.each(['%00', '%2F', '%5C', '%0A', '%E2%80%8B', '%C0%AE', '%', '%zz'])(
    '%s in a URL is what its raw form is: two meanings, or none',
    (escape) => {
      expect(resourceName('url', `https://h/a${escape}b`)).toBeNull()
    },
  )
})
