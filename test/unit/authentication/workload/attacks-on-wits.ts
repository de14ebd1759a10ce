import { bearer, json, SECONDS, without, type Members } from '../token-smith.ts'
import type { WorkloadAttack } from './workload-attack.ts'
import {
  by,
  DOMAIN,
  HELD,
  MESH,
  meshWit,
  privateJwk,
  publicPart,
  signAs,
  svid,
  WIT,
  WIT_HEADER,
  wit,
  workloadAlone,
  wpt,
  type Signer,
} from './workload-smith.ts'

/** A WIT with a proof of its own that is right in every way. */
const attack = (
  name: string,
  make: () => Promise<string>,
  refusal: string,
  because: string,
  proof: { readonly header?: Members; readonly signer?: Signer } = {},
): WorkloadAttack => ({
  name: `WIT: ${name}`,
  credentials: async () => {
    const text = await make()
    return workloadAlone(text, await wpt(text, {}, proof.header, proof.signer))
  },
  refusal: refusal.includes('_') ? refusal : `workload ${refusal}`,
  because,
})

const claims = (name: string, payload: Members, refusal: string, because: string) =>
  attack(name, () => wit(payload), refusal, because)

const header = (name: string, members: Members, refusal: string, because: string, by?: Signer) =>
  attack(name, () => wit({}, members, by), refusal, because)

const key = (name: string, make: () => unknown, refusal: string, because: string) =>
  attack(name, async () => wit({ cnf: JSON.stringify(await make()) }), refusal, because)

const held = await publicPart(HELD)

export const WIT_ATTACKS: readonly WorkloadAttack[] = [
  {
    name: 'WIT: as a bearer token',
    credentials: async () => bearer(await wit()),
    refusal: 'type',
    because: 'never a bearer token (draft §3.1)',
  },
  {
    name: 'WIT: as a DPoP token',
    credentials: async () => ({
      ...bearer(''),
      authorization: `DPoP ${await wit()}`,
      dpop: await wpt(await wit()),
    }),
    refusal: 'type',
    because: 'nor with another proof',
  },
  {
    name: 'WIT: without a proof',
    credentials: async () => ({ ...workloadAlone(await wit(), ''), workloadProof: null }),
    refusal: 'workload missing',
    because: 'what a thief has',
  },
  {
    name: 'WIT: with an empty proof',
    credentials: async () => workloadAlone(await wit(), ''),
    refusal: 'workload spelling',
    because: 'as above',
  },
  {
    name: 'WIT: itself as its proof',
    credentials: async () => workloadAlone(await wit(), await wit()),
    refusal: 'workload type',
    because: 'kinds exclude each other',
  },
  {
    name: 'WIT: two headers',
    credentials: async () => {
      const text = await wit()
      return workloadAlone(`${text}, ${text}`, await wpt(text))
    },
    refusal: 'workload several',
    because: 'which of them did the proof mean?',
  },
  attack('a JWT-SVID in its place', () => svid(), 'type', 'kinds exclude each other'),
  header('typ JWT', { typ: '"JWT"' }, 'type', 'kinds exclude each other'),
  header('typ at+jwt', { typ: '"at+jwt"' }, 'type', 'kinds exclude each other'),
  header('typ wpt+jwt', { typ: '"wpt+jwt"' }, 'type', 'kinds exclude each other'),
  attack(
    'no typ',
    () => signAs(by('prod wit'), json(without(WIT_HEADER, 'typ')), json(WIT)),
    'type',
    'WIT-SVID §2.2',
  ),
  attack(
    'no kid',
    () => signAs(by('prod wit'), json(without(WIT_HEADER, 'kid')), json(WIT)),
    'header',
    'WIT-SVID §2.1',
  ),
  header('crit', { crit: '["exp"]' }, 'critical', 'RFC 7515 §4.1.11'),
  header('alg none', { alg: '"none"' }, 'algorithm', 'draft §3.1'),
  header('alg HS256', { alg: '"HS256"' }, 'algorithm', 'draft §3.1'),
  header(
    'alg EdDSA of a SPIFFE domain',
    { alg: '"EdDSA"', kid: '"EdDSA"' },
    'algorithm',
    'WIT-SVID §2.3',
    by('prod', 'EdDSA'),
  ),
  header('signed by the JWT-SVID key', { kid: '"jwt-1"' }, 'key', 'WIT-SVID §6.2', by('prod jwt')),
  header(
    'signed by a key for signatures',
    { kid: '"sig-1"' },
    'key',
    'WIT-SVID §6.2',
    by('prod sig'),
  ),
  header(
    'signed by a key without use',
    { kid: '"bare-1"' },
    'key',
    'WIT-SVID §6.1',
    by('prod bare'),
  ),
  attack(
    'of WIMSE, signed by a WIT-SVID key',
    () => wit({ sub: `"${MESH}/a"` }, { kid: '"svid-1"' }, by('mesh svid')),
    'key',
    'keys of another use',
  ),
  attack(
    "signed with a foreign bundle's key",
    () => wit({}, {}, by('other wit')),
    'signature',
    'SPIFFE bundle §3',
  ),
  claims(
    'of another trust domain, signed by ours',
    { sub: '"spiffe://other.example/a"' },
    'signature',
    'a bundle speaks for its own',
  ),
  attack('signed by the workload itself', () => wit({}, {}, HELD), 'signature', 'anybody could'),
  claims(
    'an unknown trust domain',
    { sub: '"spiffe://unknown.example/a"' },
    'key',
    'nobody vouches',
  ),
  claims(
    'a trust domain of the other scheme',
    { sub: '"wimse://prod.example/a"' },
    'key',
    'the same name, another domain',
  ),
  claims(
    'a trust domain that is no longer trusted',
    { sub: '"spiffe://gone.example/a"' },
    'key',
    'inactive',
  ),
  claims(
    'a trust domain of another tenant',
    { sub: '"spiffe://theirs.example/a"' },
    'key',
    'whose row it is',
  ),
  claims('sub a trust domain alone', { sub: `"${DOMAIN}"` }, 'claim', 'no workload'),
  claims('sub with a dot segment', { sub: `"${DOMAIN}/a/../b"` }, 'claim', 'SPIFFE-ID §2.2'),
  claims('sub a person', { sub: '"alice"' }, 'claim', 'no workload'),
  claims('sub an https address', { sub: '"https://prod.example/a"' }, 'claim', 'no scheme of ours'),
  attack(
    'sub of WIMSE with a needless escape',
    () => meshWit({ sub: `"${MESH}/%61"` }),
    'claim',
    'RFC 3986 §6.2.2.2: two spellings',
  ),
  attack(
    'sub of WIMSE with an escape in lower case',
    () => meshWit({ sub: `"${MESH}/%c3%a9"` }),
    'claim',
    'RFC 3986 §6.2.2.1: two spellings',
  ),
  attack(
    'sub of WIMSE with a port',
    () => meshWit({ sub: '"wimse://mesh.example:1/a"' }),
    'claim',
    'draft-ietf-wimse-identifier §4.1',
  ),
  attack('sub of WIMSE with a query', () => meshWit({ sub: `"${MESH}/a?b"` }), 'claim', 'as above'),
  attack(
    'no sub',
    () => signAs(by('prod wit'), json(WIT_HEADER), json(without(WIT, 'sub'))),
    'claim',
    'draft §3.1',
  ),
  attack(
    'no exp',
    () => signAs(by('prod wit'), json(WIT_HEADER), json(without(WIT, 'exp'))),
    'claim',
    'draft §3.1',
  ),
  claims('exp passed', { iat: `${SECONDS - 60}`, exp: `${SECONDS - 6}` }, 'time', 'WIT-SVID §3.3'),
  claims('exp too far ahead', { exp: `${SECONDS + 86_400}` }, 'time', "the row's bound"),
  claims('nbf ahead', { nbf: `${SECONDS + 120}` }, 'time', 'WIT-SVID §3.5'),
  claims('jti empty', { jti: '""' }, 'claim', 'cannot be revoked by it'),
  claims(
    'sub twice',
    { sub: `"${DOMAIN}/a","sub":"${DOMAIN}/b"` },
    'payload',
    'the parser would choose',
  ),
  attack(
    'no cnf',
    () => signAs(by('prod wit'), json(WIT_HEADER), json(without(WIT, 'cnf'))),
    'key',
    'draft §3.1',
  ),
  key('cnf empty', () => ({}), 'key', 'draft §3.1'),
  key('cnf.jwk null', () => ({ jwk: null }), 'key', 'draft §3.1'),
  key('cnf with a thumbprint alone', () => ({ jkt: 'a'.repeat(43) }), 'key', 'draft §3.1: a `jwk`'),
  key(
    'cnf with a key elsewhere',
    () => ({ jwk: { ...held, alg: 'ES256' }, jku: 'https://evil.example' }),
    'key',
    'which of the two?',
  ),
  key('cnf.jwk without alg', () => ({ jwk: held }), 'algorithm', 'draft §3.1'),
  key(
    'cnf.jwk with alg none',
    () => ({ jwk: { ...held, alg: 'none' } }),
    'algorithm',
    'draft §3.1',
  ),
  key(
    'cnf.jwk with alg HS256',
    () => ({ jwk: { ...held, alg: 'HS256' } }),
    'algorithm',
    'draft §3.1',
  ),
  key(
    'cnf.jwk with an encryption alg',
    () => ({ jwk: { ...held, alg: 'ECDH-ES' } }),
    'algorithm',
    'draft §3.1',
  ),
  attack(
    'cnf.jwk with the alg of another curve',
    () => wit({ cnf: JSON.stringify({ jwk: { ...held, alg: 'ES384' } }) }),
    'algorithm',
    'no such key',
    { header: { alg: '"ES384"' } },
  ),
  key(
    'cnf.jwk symmetric',
    () => ({ jwk: { kty: 'oct', k: 'AAAA', alg: 'HS256' } }),
    'key',
    'draft §3.1',
  ),
  key(
    'cnf.jwk private',
    async () => ({ jwk: { ...(await privateJwk(HELD)), alg: 'ES256' } }),
    'key',
    'whoever sees the token could prove it',
  ),
  key(
    'cnf.jwk for encryption',
    () => ({ jwk: { ...held, alg: 'ES256', use: 'enc' } }),
    'key',
    'RFC 7517 §4.2',
  ),
  key(
    'cnf.jwk for the documents of a trust domain',
    () => ({ jwk: { ...held, alg: 'ES256', use: 'wit-svid' } }),
    'key',
    'SPIFFE bundle §4.2.2: a key of another use',
  ),
  key(
    'cnf.jwk re-spelled',
    () => ({ jwk: { ...held, x: `${String(held['x'])}=`, alg: 'ES256' } }),
    'key',
    'one key, two thumbprints',
  ),
  key(
    'cnf.jwk of EdDSA in a SPIFFE domain',
    async () => ({ jwk: { ...(await publicPart(by('workload', 'EdDSA'))), alg: 'EdDSA' } }),
    'algorithm',
    'WIT-SVID §3.2',
  ),
  key(
    'cnf.jwk off its curve',
    () => ({ jwk: { ...held, y: held['x'], alg: 'ES256' } }),
    'signature',
    'no key at all',
  ),
  attack('an oversized one', () => wit({ x: `"${'a'.repeat(17_000)}"` }), 'spelling', '16 KiB'),
  attack(
    'a re-spelled signature',
    async () => `${await wit()}=`,
    'spelling',
    'two texts of one token',
  ),
  {
    name: 'WIT: nobody can say whose key it is',
    credentials: async () => workloadAlone(await wit(), await wpt(await wit())),
    refusal: 'issuer_unavailable',
    because: 'the token may be good: 503',
    context: { keys: { find: async () => 'unavailable' as const } },
  },
]
