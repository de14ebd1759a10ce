import { SignJWT } from 'jose'
import { attack, header, type Attack } from './attack.ts'
import { HEADER, ISSUER, json, PAYLOAD, publicJwk, sign, token, without } from './token-smith.ts'

export const HEADER_ATTACKS: readonly Attack[] = [
  header('alg none', { alg: '"none"' }, 'algorithm', 'RFC 8725 §2.1'),
  header('alg nOnE', { alg: '"nOnE"' }, 'algorithm', 'a blocklist would miss it'),
  header('alg HS256', { alg: '"HS256"' }, 'algorithm', 'RFC 8725 §2.1'),
  attack(
    'HS256 keyed with the public key',
    async () =>
      new SignJWT({ sub: 'alice', client_id: 'acme-agent' })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'RS256' })
        .setIssuer(ISSUER)
        .sign(new TextEncoder().encode(JSON.stringify(await publicJwk('RS256')))),
    'algorithm',
    'the classic confusion',
  ),
  header(
    'alg es256',
    { alg: '"es256"' },
    'algorithm',
    'names are case-sensitive (RFC 7515 §4.1.1)',
  ),
  header('alg RS512', { alg: '"RS512"' }, 'algorithm', 'not in the table'),
  header('alg ES512', { alg: '"ES512"' }, 'algorithm', 'not in the table'),
  header(
    'alg constructor',
    { alg: '"constructor"' },
    'algorithm',
    'must not find an inherited member',
  ),
  header('alg null', { alg: 'null' }, 'algorithm', 'no algorithm'),
  header('alg an array', { alg: '["ES256"]' }, 'algorithm', 'prints as ES256'),
  header(
    'alg ES384 over the ES256 key',
    { alg: '"ES384"' },
    'key_unknown',
    'one key, one algorithm',
  ),
  header(
    'alg RS256 over the ES256 key',
    { alg: '"RS256"' },
    'key_unknown',
    'one key, one algorithm',
  ),
  attack(
    'PS256 key used with RS256',
    () => token({}, { alg: '"RS256"', kid: '"PS256"' }, 'PS256'),
    'key_unknown',
    'one key, one algorithm (RFC 8725 §3.1)',
  ),
  header('typ JWT', { typ: '"JWT"' }, 'type', 'an ID token'),
  ...[
    'dpop+jwt',
    'secevent+jwt',
    'logout+jwt',
    'oauth-id-jag+jwt',
    'txntoken+jwt',
    'wit+jwt',
    'wpt+jwt',
    'statuslist+jwt',
    'token-introspection+jwt',
  ].map((typ) =>
    header(
      `typ ${typ}`,
      { typ: `"${typ}"` },
      'type',
      'kinds of token exclude each other (RFC 8725 §3.11)',
    ),
  ),
  header('typ text/at+jwt', { typ: '"text/at+jwt"' }, 'type', 'another media type'),
  header(
    'typ at+jwt with a parameter',
    { typ: '"at+jwt;x=1"' },
    'type',
    'byte for byte, but for case',
  ),
  header('typ with a newline', { typ: String.raw`"at+jwt\n"` }, 'type', '`$` must mean the end'),
  header('typ an array', { typ: '["at+jwt"]' }, 'type', 'prints as at+jwt'),
  attack(
    'no typ',
    () => sign(json(without(HEADER, 'typ')), json(PAYLOAD)),
    'type',
    'jose accepts unless asked',
  ),
  attack(
    'no kid',
    () => sign(json(without(HEADER, 'kid')), json(PAYLOAD)),
    'header',
    'jose would take the only key',
  ),
  header('kid empty', { kid: '""' }, 'header', 'names nothing'),
  header('kid a number', { kid: '1' }, 'header', 'names nothing'),
  header(
    'kid with a control letter',
    { kid: String.raw`"ES256\u0000"` },
    'header',
    'attacker input (RFC 8725 §3.10)',
  ),
  header('kid unknown', { kid: '"other"' }, 'key_unknown', 'no such key'),
  header('kid as SQL', { kid: `"' OR 1=1 --"` }, 'key_unknown', 'attacker input (RFC 8725 §3.10)'),
  header(
    'kid __proto__',
    { kid: '"__proto__"' },
    'key_unknown',
    'must not find an inherited member',
  ),
  header('crit unknown', { crit: '["exp"]', exp: '1' }, 'critical', 'RFC 7515 §4.1.11'),
  header('crit b64 true', { crit: '["b64"]', b64: 'true' }, 'critical', 'jose accepts it'),
  header(
    'crit b64 false',
    { crit: '["b64"]', b64: 'false' },
    'critical',
    'RFC 7797 §7: not in a JWT',
  ),
  header('crit empty', { crit: '[]' }, 'critical', 'any crit'),
  header('b64 alone', { b64: 'false' }, 'critical', 'changes what is signed'),
  attack(
    'alg twice',
    () => sign(json(HEADER).replace('}', ',"alg":"none"}'), json(PAYLOAD)),
    'header',
    'jose takes the last',
  ),
  attack(
    'typ twice',
    () => sign(json({ typ: '"JWT"' }).replace('}', `,${json(HEADER).slice(1)}`), json(PAYLOAD)),
    'header',
    'jose takes the last',
  ),
  attack(
    'header with a byte order mark',
    () => sign(`\ufeff${json(HEADER)}`, json(PAYLOAD)),
    'header',
    'jose accepts it',
  ),
  attack('header an array', () => sign(`[${json(HEADER)}]`, json(PAYLOAD)), 'header', 'an object'),
  attack('header not JSON', () => sign('at+jwt', json(PAYLOAD)), 'header', 'an object'),
]
