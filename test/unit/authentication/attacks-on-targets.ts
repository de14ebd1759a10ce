import type { Attack } from './attack.ts'
import { proof } from './attack-by-proof.ts'
import { RESOURCE } from './token-smith.ts'

const target = (name: string, htu: string, because: string): Attack =>
  proof(`htu ${name}`, { payload: { htu: JSON.stringify(htu) } }, 'proof target', because)

export const TARGET_ATTACKS: readonly Attack[] = [
  target('of another server', 'https://mcp.example.com/mail/mcp', 'check 9'),
  target('of another host', 'https://evil.example/files/mcp', 'check 9'),
  target('over http', 'http://mcp.example.com/files/mcp', 'another scheme'),
  target('on another port', 'https://mcp.example.com:8443/files/mcp', 'another port'),
  target('on port 80', 'https://mcp.example.com:80/files/mcp', 'the default of the other scheme'),
  target('on port 0443', 'https://mcp.example.com:0443/files/mcp', 'no normal form of a port'),
  target('with a trailing slash', `${RESOURCE}/`, 'another resource'),
  target('with two slashes', 'https://mcp.example.com//files/mcp', 'another path'),
  target(
    'with a dot segment',
    'https://mcp.example.com/./files/mcp',
    'no address that was given to anybody',
  ),
  target(
    'with two dots',
    'https://mcp.example.com/mail/../files/mcp',
    'no address that was given to anybody',
  ),
  target(
    'with escaped dots',
    'https://mcp.example.com/mail/%2e%2e/files/mcp',
    'dots once they are plain',
  ),
  target(
    'with an escaped slash',
    'https://mcp.example.com/files%2Fmcp',
    'reserved letters differ from their escapes',
  ),
  target('with a broken escape', 'https://mcp.example.com/files/mcp%', 'no URI'),
  target(
    'with an escaped letter',
    'https://mcp.example.com/%66iles/mcp',
    'our own addresses hold none',
  ),
  target('with an escape of one digit', 'https://mcp.example.com/files/mc%7', 'no URI'),
  target('with another case in the path', 'https://mcp.example.com/Files/mcp', 'paths have a case'),
  target(
    'with user information',
    'https://mcp.example.com@evil.example/files/mcp',
    'two hosts in one text',
  ),
  target(
    'with empty user information',
    'https://@mcp.example.com/files/mcp',
    'a parser would drop it',
  ),
  target('with a password', 'https://a:b@mcp.example.com/files/mcp', 'a parser would drop it'),
  target(
    'with a trailing dot in the host',
    'https://mcp.example.com./files/mcp',
    'another name to comparisons',
  ),
  target(
    'with backslashes',
    'https:\\\\mcp.example.com\\files\\mcp',
    'a parser would turn them round',
  ),
  target('with one slash', 'https:/mcp.example.com/files/mcp', 'a parser would add it'),
  target('with three slashes', 'https:///mcp.example.com/files/mcp', 'a parser would drop it'),
  target('with a tab inside', 'https://mcp.example.com/files\t/mcp', 'a parser would drop it'),
  target('with a blank before it', ` ${RESOURCE}`, 'a parser would drop it'),
  target('with a newline after it', `${RESOURCE}\n`, 'a parser would drop it'),
  target(
    'with a full-width dot',
    'https://mcp\uff0eexample.com/files/mcp',
    'a parser would map it',
  ),
  target('with a soft hyphen', 'https://mcp.exam\u00adple.com/files/mcp', 'a parser would drop it'),
  target('with an escaped host', 'https://mcp.ex%61mple.com/files/mcp', 'a parser would undo it'),
  target('in punycode', 'https://xn--mcp-.example.com/files/mcp', 'another host'),
  target('relative', '/files/mcp', 'no absolute URI'),
  target('without a scheme', '//mcp.example.com/files/mcp', 'no absolute URI'),
  target('of another scheme', 'ftp://mcp.example.com/files/mcp', 'another scheme'),
  target('empty', '', 'check 9'),
  target('the origin', 'https://mcp.example.com', 'the whole address'),
  target('the path alone in a query', 'https://mcp.example.com/?/files/mcp', 'a query is no path'),
  target('a prefix', 'https://mcp.example.com/files', 'no prefix match'),
  target('of 3,000 letters', `${RESOURCE}?${'a'.repeat(2500)}`, 'bounded'),
  proof(
    'htu a list',
    { payload: { htu: `["${RESOURCE}"]` } },
    'proof claim',
    'prints as the resource',
  ),
  proof('htu null', { payload: { htu: 'null' } }, 'proof claim', 'check 3'),
]
