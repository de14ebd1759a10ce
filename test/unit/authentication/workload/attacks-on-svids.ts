import { base64url, SignJWT } from 'jose'
import { json, RESOURCE, SECONDS, bearer, without, type Members } from '../token-smith.ts'
import type { WorkloadAttack } from './workload-attack.ts'
import {
  by,
  DOMAIN,
  prodRow,
  publicPart,
  signAs,
  svid,
  SVID,
  WORKLOAD,
  type Signer,
} from './workload-smith.ts'

const attack = (
  name: string,
  make: () => string | Promise<string>,
  refusal: string,
  because: string,
): WorkloadAttack => ({
  name: `JWT-SVID: ${name}`,
  credentials: async () => bearer(await make()),
  refusal,
  because,
})

const claims = (name: string, payload: Members, refusal: string, because: string) =>
  attack(name, () => svid(payload), refusal, because)

const header = (
  name: string,
  members: Members,
  refusal: string,
  because: string,
  signer?: Signer,
) => attack(name, () => svid({}, members, signer), refusal, because)

const subject = (name: string, sub: string, because: string, refusal = 'claim') =>
  claims(name, { sub: JSON.stringify(sub) }, refusal, because)

export const SVID_ATTACKS: readonly WorkloadAttack[] = [
  subject('sub a trust domain alone', DOMAIN, 'an authority, no workload (SPIFFE-ID §3.1)'),
  subject('sub with an empty path', `${DOMAIN}/`, 'as above'),
  subject('sub with a slash at the end', `${WORKLOAD}/`, 'SPIFFE-ID §2.2'),
  subject('sub with an empty segment', `${DOMAIN}/ns//sa`, 'SPIFFE-ID §2.2'),
  subject('sub with a dot segment', `${DOMAIN}/ns/./sa`, 'another spelling of one path'),
  subject('sub with two dots', `${DOMAIN}/guest/../admin`, 'would be another workload to a parser'),
  subject('sub with an escape', `${DOMAIN}/ns%2fadmin`, 'SPIFFE-ID §2.2: no escapes'),
  subject('sub with an escaped dot segment', `${DOMAIN}/a/%2e%2e/b`, 'as above'),
  subject('sub with a trust domain in upper case', 'spiffe://PROD.example/a', 'SPIFFE-ID §2.1'),
  subject(
    'sub with its scheme in upper case',
    'SPIFFE://prod.example/a',
    'no SPIFFE id at all',
    'type',
  ),
  subject('sub with user information', 'spiffe://admin@prod.example/a', 'SPIFFE-ID §2.1'),
  subject('sub with a port', 'spiffe://prod.example:8443/a', 'SPIFFE-ID §2.1'),
  subject('sub with a query', `${WORKLOAD}?role=admin`, 'SPIFFE-ID §2'),
  subject('sub with a fragment', `${WORKLOAD}#admin`, 'SPIFFE-ID §2'),
  subject('sub without a trust domain', 'spiffe:///a', 'SPIFFE-ID §2'),
  subject('sub with a blank', `${DOMAIN}/ns/a b`, 'not in a URI'),
  subject('sub with a newline', `${WORKLOAD}\n`, '`$` must mean the end'),
  subject('sub beyond ASCII', `${DOMAIN}/ns/rép`, 'SPIFFE-ID §2.2'),
  subject('sub in Cyrillic', 'spiffe://рrod.example/a', 'looks like the other one'),
  subject('sub with a backslash', `${DOMAIN}\\ns\\a`, 'a slash to some parsers'),
  subject(
    'sub of 2049 bytes',
    `${DOMAIN}/${'a'.repeat(2049 - DOMAIN.length - 1)}`,
    'SPIFFE-ID §2.3',
  ),
  subject(
    'sub with a trust domain of 256 bytes',
    `spiffe://${'a'.repeat(256)}/a`,
    'SPIFFE-ID §2.3',
  ),
  subject('sub a WIMSE id', 'wimse://mesh.example/a', 'no SPIFFE id', 'type'),
  subject('sub a person', 'alice', 'an ID token', 'type'),
  claims('sub a list', { sub: `["${WORKLOAD}"]` }, 'type', 'prints as the id'),
  attack(
    'no sub',
    () =>
      signAs(by('prod jwt'), json({ alg: '"ES256"', kid: '"jwt-1"' }), json(without(SVID, 'sub'))),
    'type',
    'JWT-SVID §3.1',
  ),
  subject(
    'an unknown trust domain',
    'spiffe://unknown.example/a',
    'nobody vouches',
    'issuer_unknown',
  ),
  subject(
    'a trust domain that is no longer trusted',
    'spiffe://gone.example/a',
    'inactive',
    'issuer_unknown',
  ),
  subject(
    'a trust domain of another tenant',
    'spiffe://theirs.example/a',
    'whose row it is',
    'tenant_mismatch',
  ),
  subject(
    'a shared trust domain without its claim',
    'spiffe://many.example/a',
    'whose workload?',
    'tenant_mismatch',
  ),
  claims(
    'a shared trust domain with another tenant',
    { sub: '"spiffe://many.example/a"', org: '"globex"' },
    'tenant_mismatch',
    'whose workload',
  ),
  subject(
    'a trust domain whose row is an OAuth issuer',
    'spiffe://oauth.example/a',
    'a row speaks for one kind',
    'issuer_unknown',
  ),
  subject(
    'a subdomain of a trust domain',
    'spiffe://a.prod.example/a',
    'trust domains have no hierarchy',
    'issuer_unknown',
  ),
  subject(
    'another trust domain, signed by ours',
    'spiffe://other.example/a',
    'a bundle speaks for its own',
    'signature',
  ),
  attack(
    "a foreign bundle's key under our kid",
    () => svid({}, {}, by('other jwt')),
    'signature',
    'SPIFFE bundle §3',
  ),
  claims(
    'our iss, another trust domain',
    { sub: '"spiffe://other.example/a"', iss: `"${DOMAIN}"` },
    'signature',
    '`iss` chooses no keys',
  ),
  header(
    'signed by the WIT key',
    { kid: '"wit-1"' },
    'key_unknown',
    'keys of another use',
    by('prod wit'),
  ),
  header(
    'signed by a key for signatures',
    { kid: '"sig-1"' },
    'key_unknown',
    'keys of another use',
    by('prod sig'),
  ),
  header(
    'signed by a key without use',
    { kid: '"bare-1"' },
    'key_unknown',
    'SPIFFE bundle §4.2.2',
    by('prod bare'),
  ),
  header(
    'signed by an X.509 authority',
    { kid: '"x509-1"' },
    'key_unknown',
    'keys of another use',
    by('prod x509'),
  ),
  header('an unknown key', { kid: '"jwt-2"' }, 'key_unknown', 'no such key'),
  attack(
    'no kid',
    () => signAs(by('prod jwt'), '{"alg":"ES256"}', json(SVID)),
    'header',
    'which key vouched?',
  ),
  header('kid a number', { kid: '1' }, 'header', 'names nothing'),
  header('a further header: jwk', { jwk: '{}' }, 'header', 'JWT-SVID §2'),
  header('a further header: x5c', { x5c: '[]' }, 'header', 'JWT-SVID §2'),
  header('a further header: jku', { jku: '"https://evil.example"' }, 'header', 'JWT-SVID §2'),
  header('a further header: cty', { cty: '"JWT"' }, 'header', 'JWT-SVID §2'),
  header('a further header: a private one', { 'x-trace': '"1"' }, 'header', 'JWT-SVID §2'),
  header('crit', { crit: '["exp"]' }, 'critical', 'JWT-SVID §2'),
  header('alg none', { alg: '"none"' }, 'algorithm', 'JWT-SVID §2.1'),
  header(
    'alg EdDSA by an EdDSA key',
    { alg: '"EdDSA"', kid: '"EdDSA"' },
    'algorithm',
    'JWT-SVID §2.1',
    by('prod', 'EdDSA'),
  ),
  header(
    'alg Ed25519 by an EdDSA key',
    { alg: '"Ed25519"', kid: '"EdDSA"' },
    'algorithm',
    'JWT-SVID §2.1',
    by('prod', 'EdDSA'),
  ),
  header('alg es256', { alg: '"es256"' }, 'algorithm', 'names are case-sensitive'),
  header('alg a list', { alg: '["ES256"]' }, 'algorithm', 'prints as ES256'),
  header(
    'alg ES384 with the ES256 key',
    { alg: '"ES384"' },
    'key_unknown',
    'one key, one algorithm',
  ),
  header(
    'alg RS384 with the RS256 key',
    { alg: '"RS384"', kid: '"RS256"' },
    'key_unknown',
    'one key, one algorithm',
    by('prod', 'RS256'),
  ),
  {
    ...header(
      'alg RS256 where the row lists ES256',
      { alg: '"RS256"', kid: '"RS256"' },
      'algorithm',
      "the trust domain's own list",
      by('prod', 'RS256'),
    ),
    context: { issuers: new Map([[DOMAIN, { ...prodRow, algorithms: ['ES256'] }]]) },
  },
  attack(
    'HS256 keyed with the public key',
    async () =>
      new SignJWT({ sub: WORKLOAD, aud: RESOURCE, exp: SECONDS + 60 })
        .setProtectedHeader({ alg: 'HS256', kid: 'jwt-1' })
        .sign(new TextEncoder().encode(JSON.stringify(await publicPart(by('prod jwt'))))),
    'algorithm',
    'the classic confusion',
  ),
  header('typ at+jwt', { typ: '"at+jwt"' }, 'issuer', 'an access token names its issuer'),
  header('typ jwt', { typ: '"jwt"' }, 'type', 'JWT-SVID §2.3: one of two words'),
  header('typ application/jwt', { typ: '"application/jwt"' }, 'type', 'JWT-SVID §2.3'),
  header('typ null', { typ: 'null' }, 'type', 'not absent'),
  header('typ wit+jwt', { typ: '"wit+jwt"' }, 'type', 'never a bearer token'),
  claims(
    'a bound one',
    { cnf: '{"jkt":"AAAA"}' },
    'bound',
    'a bearer token that was meant to be bound',
  ),
  attack('no aud', () => svidWithout('aud'), 'audience', 'JWT-SVID §3.2'),
  claims(
    'aud another resource',
    { aud: '"https://mcp.example.com/other/mcp"' },
    'audience',
    'JWT-SVID §3.2',
  ),
  claims('aud a longer resource', { aud: `"${RESOURCE}/x"` }, 'audience', 'byte for byte'),
  claims('aud the trust domain', { aud: `"${DOMAIN}"` }, 'audience', 'JWT-SVID §3.2: wide scopes'),
  claims('aud an empty list', { aud: '[]' }, 'audience', 'JWT-SVID §3.2'),
  claims('aud a list with a number', { aud: `["${RESOURCE}",1]` }, 'audience', 'not skipped'),
  claims(
    'aud a list in a list',
    { aud: `[["${RESOURCE}"]]` },
    'audience',
    'prints as the resource',
  ),
  claims('aud an object', { aud: `{"${RESOURCE}":1}` }, 'audience', 'not a string'),
  claims('aud null', { aud: 'null' }, 'audience', 'not a string'),
  claims(
    'aud twice',
    { aud: '"https://x.example","aud":"x"' },
    'payload',
    'the parser would choose',
  ),
  attack('no exp', () => svidWithout('exp'), 'claim', 'JWT-SVID §3.3'),
  claims(
    'exp passed',
    { iat: `${SECONDS - 300}`, exp: `${SECONDS - 5}` },
    'expired',
    'JWT-SVID §4',
  ),
  claims('exp a string', { exp: `"${SECONDS + 60}"` }, 'claim', 'RFC 7519 §2'),
  claims('exp beyond a double', { exp: '1e400' }, 'payload', 'becomes Infinity'),
  claims('exp too far ahead', { exp: `${SECONDS + 3600}` }, 'lifetime', "the row's bound"),
  attack(
    'exp too far ahead, without iat',
    () =>
      signAs(
        by('prod jwt'),
        '{"alg":"ES256","kid":"jwt-1"}',
        json(without({ ...SVID, exp: `${SECONDS + 3600}` }, 'iat')),
      ),
    'lifetime',
    'leaving `iat` out must not help',
  ),
  claims(
    'exp before iat',
    { iat: `${SECONDS + 30}`, exp: `${SECONDS + 20}` },
    'lifetime',
    'no life at all',
  ),
  claims('iat ahead', { iat: `${SECONDS + 61}` }, 'not_yet_valid', 'RFC 7519 §4.1.6'),
  claims('nbf ahead', { nbf: `${SECONDS + 61}` }, 'not_yet_valid', 'RFC 7519 §4.1.5'),
  claims('nbf null', { nbf: 'null' }, 'claim', 'not absent'),
  claims('jti a number', { jti: '1' }, 'claim', 'cannot be revoked by it'),
  attack('a JWE', async () => `${await svid()}.a.b`, 'not_jwt', 'JWT-SVID §2: only JWS'),
  attack(
    'the JSON form',
    async () => base64url.encode(JSON.stringify({ payload: await svid() })),
    'not_jwt',
    'JWT-SVID §5.1',
  ),
  attack(
    'an altered claim',
    async () => swapped(await svid(), json({ ...SVID, sub: `"${DOMAIN}/admin"` })),
    'signature',
    'what signatures are for',
  ),
  attack('an oversized one', () => svid({ x: `"${'a'.repeat(17_000)}"` }), 'spelling', '16 KiB'),
]

const svidWithout = (name: string): Promise<string> =>
  signAs(by('prod jwt'), '{"alg":"ES256","kid":"jwt-1"}', json(without(SVID, name)))

const swapped = (text: string, payload: string): string => {
  const [head, , signature] = text.split('.')
  return `${head}.${base64url.encode(payload)}.${signature}`
}
