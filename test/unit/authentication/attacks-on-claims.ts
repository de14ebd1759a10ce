import { claim, attack, type Attack } from './attack.ts'
import { HEADER, ISSUER, json, PAYLOAD, RESOURCE, SECONDS, sign, without } from './token-smith.ts'

const absent = (name: string, fault: string): Attack =>
  attack(
    `no ${name}`,
    () => sign(json(HEADER), json(without(PAYLOAD, name))),
    fault,
    'RFC 9068 §2.2 requires the claim',
  )

const nested = (levels: number): string =>
  Array.from({ length: levels }, (_, level) => level).reduceRight(
    (inner, level) => `{"sub":"agent-${level}"${inner === '' ? '' : `,"act":${inner}`}}`,
    '',
  )

const PRESENCE = ['aud', 'exp', 'iat', 'sub', 'client_id', 'jti'].map((name) =>
  absent(name, name === 'aud' ? 'audience' : 'claim'),
)

const NAMES: readonly Attack[] = [
  claim('sub null', { sub: 'null' }, 'claim', 'jose only tests presence'),
  claim('sub empty', { sub: '""' }, 'claim', 'everybody without a name would share a history'),
  claim('sub in an array', { sub: '["alice"]' }, 'claim', 'prints as `alice`'),
  claim('sub a number', { sub: '7' }, 'claim', 'equal to "7" for some and not for others'),
  claim(
    'sub with a line break',
    { sub: String.raw`"alice\nadmin: true"` },
    'claim',
    'forges a log line',
  ),
  claim(
    'sub with a NUL',
    { sub: String.raw`"alice\u0000"` },
    'claim',
    'ends early in other languages',
  ),
  claim('sub with C1', { sub: String.raw`"a\u0085b"` }, 'claim', 'a line break to some readers'),
  claim(
    'sub with a line separator',
    { sub: String.raw`"a\u2028b"` },
    'claim',
    'a line break to JavaScript',
  ),
  claim(
    'sub with a lone surrogate',
    { sub: String.raw`"\ud800"` },
    'payload',
    'becomes another name once encoded',
  ),
  claim('sub of 257 bytes', { sub: `"${'a'.repeat(257)}"` }, 'claim', 'the bound'),
  claim(
    'sub of 258 bytes in 86 letters',
    { sub: `"${'€'.repeat(86)}"` },
    'claim',
    'bytes are counted, not letters',
  ),
  claim('jti empty', { jti: '""' }, 'claim', 'jose accepts; revokes nothing or everything'),
  claim('jti an object', { jti: '{}' }, 'claim', 'jose accepts; prints as `[object Object]`'),
  claim('jti a number', { jti: '1' }, 'claim', 'cannot be revoked by its text'),
  claim('client_id null', { client_id: 'null' }, 'claim', 'a call must be bound to one client'),
  claim(
    'client_id an array',
    { client_id: '["a","b"]' },
    'claim',
    'a call must be bound to one client',
  ),
  claim(
    'azp other than client_id',
    { azp: '"other-client"' },
    'claim',
    'two clients in one token: confused deputy',
  ),
  claim('azp null', { azp: 'null' }, 'claim', 'present and wrong is not absent'),
  claim('sid empty', { sid: '""' }, 'claim', 'a session that cannot be revoked'),
  claim('sid a number', { sid: '5' }, 'claim', 'a session that cannot be revoked'),
  claim('acr an array', { acr: '["high"]' }, 'claim', 'assurance must not be found by coercion'),
  claim(
    'auth_time ahead',
    { auth_time: `${SECONDS + 5000}` },
    'claim',
    'satisfies every demand for a recent login',
  ),
  claim('auth_time as text', { auth_time: '"0"' }, 'claim', 'compares by other rules'),
  claim('scope an array', { scope: '["mcp:read"]' }, 'claim', 'RFC 8693 §4.2: one string'),
  claim('scope null', { scope: 'null' }, 'claim', 'present and wrong is not absent'),
  claim('scope with a tab', { scope: String.raw`"a\tb"` }, 'claim', 'one scope or two?'),
  claim('scope with two blanks', { scope: '"a  b"' }, 'claim', 'holds an empty scope'),
  claim(
    'scope with a quote',
    { scope: String.raw`"a\"b"` },
    'claim',
    'RFC 6749 §3.3; ends a quoted string',
  ),
]

const AUDIENCES: readonly Attack[] = [
  claim(
    'aud of another server',
    { aud: '"https://mcp.example.com/mail/mcp"' },
    'audience',
    'RFC 8707: minted for somebody else',
  ),
  claim('aud a prefix', { aud: '"https://mcp.example.com/files"' }, 'audience', 'no prefix match'),
  claim('aud longer', { aud: `"${RESOURCE}/x"` }, 'audience', 'no prefix match the other way'),
  claim('aud with a slash', { aud: `"${RESOURCE}/"` }, 'audience', 'byte-equal'),
  claim('aud in upper case', { aud: `"${RESOURCE.toUpperCase()}"` }, 'audience', 'byte-equal'),
  claim(
    'aud the origin',
    { aud: '"https://mcp.example.com"' },
    'audience',
    'one resource per server',
  ),
  claim(
    'aud with a number',
    { aud: `["${RESOURCE}",7]` },
    'audience',
    'jose accepts: yours is inside',
  ),
  claim(
    'aud with null',
    { aud: `[null,"${RESOURCE}"]` },
    'audience',
    'jose accepts: yours is inside',
  ),
  claim('aud nested', { aud: `[["${RESOURCE}"]]` }, 'audience', 'prints as the resource'),
  claim(
    'aud an object',
    { aud: `{"0":"${RESOURCE}","length":1}` },
    'audience',
    'looks like an array',
  ),
  claim('aud empty', { aud: '[]' }, 'audience', 'for nobody'),
  claim('aud null', { aud: 'null' }, 'audience', 'for nobody'),
]

const DELEGATION: readonly Attack[] = [
  claim('act a string', { act: '"agent"' }, 'claim', 'RFC 8693 §4.1: an object'),
  claim(
    'act null',
    { act: 'null' },
    'claim',
    'present and wrong is not absent: would drop the agent',
  ),
  claim('act an array', { act: '[{"sub":"agent"}]' }, 'claim', 'RFC 8693 §4.1: an object'),
  claim('act without sub', { act: '{"client_id":"x"}' }, 'claim', 'an actor without a name'),
  claim('act.sub empty', { act: '{"sub":""}' }, 'claim', 'an actor without a name'),
  claim('act.sub an array', { act: '{"sub":["agent"]}' }, 'claim', 'prints as `agent`'),
  claim(
    'act.iss another',
    { act: '{"sub":"agent","iss":"https://evil.example"}' },
    'claim',
    'a name of another namespace',
  ),
  claim('act five deep', { act: nested(5) }, 'claim', 'the bound is four'),
  claim(
    'act twice the same',
    { act: '{"sub":"a","act":{"sub":"b","act":{"sub":"a"}}}' },
    'claim',
    'a cycle',
  ),
  claim('act the subject', { act: '{"sub":"alice"}' }, 'claim', 'a cycle of one'),
  claim(
    'inner act malformed',
    { act: '{"sub":"a","act":7}' },
    'claim',
    'nobody vouched for the record',
  ),
]

const ISSUERS: readonly Attack[] = [
  claim('iss unknown', { iss: '"https://evil.example"' }, 'issuer_unknown', 'issuers are rows'),
  claim('iss with a slash', { iss: `"${ISSUER}/"` }, 'issuer_unknown', 'byte-equal'),
  claim('iss an array', { iss: `["${ISSUER}"]` }, 'issuer', 'prints as the issuer'),
  claim('iss null', { iss: 'null' }, 'issuer', 'no issuer'),
  claim(
    'iss __proto__',
    { iss: '"__proto__"' },
    'issuer_unknown',
    'must not find an inherited member',
  ),
]

const BOUND: readonly Attack[] = [
  claim(
    'cnf.jkt as a bearer',
    { cnf: '{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}' },
    'bound',
    'RFC 9449 §7.1',
  ),
  claim('cnf x5t#S256 malformed', { cnf: '{"x5t#S256":"x"}' }, 'bound', 'RFC 8705 §3.1'),
  claim('cnf null', { cnf: 'null' }, 'bound', 'present in any form'),
]

export const CLAIM_ATTACKS: readonly Attack[] = [
  ...PRESENCE,
  ...NAMES,
  ...AUDIENCES,
  ...DELEGATION,
  ...ISSUERS,
  ...BOUND,
]
