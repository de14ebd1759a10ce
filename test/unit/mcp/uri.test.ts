import { describe, expect, it } from 'vitest'
import { isPlainUri } from '../../../src/mcp/uri.ts'

describe('a URI in its one spelling', () => {
  it.each([
    'test://static-text',
    'test://template/1/data',
    'file:///public/a.txt',
    'file:///public/',
    'https://h.example/',
    'https://h.example:8443/a?b=c&d=%20',
    'https://[2001:db8::1]/a',
    'urn:isbn:1234',
    'memo:insights',
    'app:/x/y',
    'test://a/b%20c',
    'test://a/%E2%82%AC',
    'ui://widget/show.html',
  ])('%s', (uri) => {
    expect(isPlainUri(uri)).toBe(true)
  })

  it.each([
    ['FILE:///a', 'case of the scheme'],
    ['https://H.example/', 'case of the host'],
    ['https://h.example', 'a path that is `/` all the same'],
    ['https://h.example./', 'the root of names'],
    ['https://u@h.example/', 'a user'],
    ['https://h.example:443/', 'the port that it has anyway'],
    ['https://h.example:/', 'an empty port'],
    ['https://h.example:08/', 'a port in another way'],
    ['file:///public/../secret', 'dot segments'],
    ['file:///public/./a', 'a dot segment'],
    ['file:///public/..', 'one at the end'],
    ['file:///public/..;/secret', 'one with a parameter'],
    ['file:///public/%2e%2e/secret', 'one encoded'],
    ['file:///public/.%2E/secret', 'half of one encoded'],
    ['file:///public%2Fsecret', 'a slash encoded'],
    ['file:///public%5Csecret', 'a backslash encoded'],
    ['file:///public\\secret', 'a backslash'],
    ['file:///public/%252e%252e/secret', 'encoded twice'],
    ['file:///public//secret', 'an empty segment'],
    ['file:////secret', 'an empty segment at the start'],
    ['file:///s%65cret', 'a letter encoded'],
    ['file:///a%e2%82%ac', 'digits of an encoding in lower case'],
    ['file:///a%C0%AF', 'an overlong slash'],
    ['file:///a%', 'no encoding'],
    ['file:///a%0A', 'a control'],
    ['file:///a%7F', 'a control'],
    ['file:///a b', 'a space'],
    ['file:///ä', 'a letter that has an encoded form'],
    ['file:///a#x', 'a fragment'],
    ['file:///a?x', 'a query of a file'],
    ['test://a?', 'an empty query'],
    ['file:///a%3Fx', 'a query in disguise'],
    ['file:///a%23x', 'a fragment in disguise'],
    ['file:///{a}', 'a template'],
    ['test:', 'nothing'],
    ['test', 'no scheme'],
    ['//a/b', 'no scheme'],
    ['', 'nothing'],
    ['test:///a', 'no authority where there should be one'],
  ])('not %s: %s', (uri) => {
    expect(isPlainUri(uri)).toBe(false)
  })
})
