import { hashOf } from '../../../../src/authentication/thumbprint.ts'
import { bearer, json, RESOURCE, SECONDS, token, without, type Members } from '../token-smith.ts'
import type { WorkloadAttack } from './workload-attack.ts'
import {
  beside,
  by,
  DOMAIN,
  HELD,
  meshWit,
  publicPart,
  signAs,
  userToken,
  wit,
  WORKLOAD,
  workloadAlone,
  wpt,
  WPT_HEADER,
  wptPayload,
  type Signer,
} from './workload-smith.ts'

/** A good WIT; the proof is what `make` makes of it. */
const attack = (
  name: string,
  make: (witText: string) => Promise<string>,
  refusal: string,
  because: string,
): WorkloadAttack => ({
  name: `WPT: ${name}`,
  credentials: async () => {
    const text = await wit()
    return workloadAlone(text, await make(text))
  },
  refusal: `workload ${refusal}`,
  because,
})

const claims = (name: string, payload: Members, refusal: string, because: string) =>
  attack(name, (text) => wpt(text, payload), refusal, because)

const header = (
  name: string,
  members: Members,
  refusal: string,
  because: string,
  signer?: Signer,
) => attack(name, (text) => wpt(text, {}, members, signer), refusal, because)

const lacking = (name: string, refusal: string) =>
  attack(
    `no ${name}`,
    (text) => signAs(HELD, json(WPT_HEADER), json(without(wptPayload(text), name))),
    refusal,
    'draft §2',
  )

/** Beside a user's token, whose hash the proof names unless the row says otherwise. */
const besideToken = (
  name: string,
  payload: Members,
  refusal: string,
  because: string,
  user: Members = {},
  witPayload: Members = {},
): WorkloadAttack => ({
  name: `WPT beside a token: ${name}`,
  credentials: async () => beside(await userToken(user), payload, witPayload),
  refusal,
  because,
})

const OTHER_WIT = await wit({ jti: '"another"' })

export const WPT_ATTACKS: readonly WorkloadAttack[] = [
  {
    name: 'WPT: as a bearer token',
    credentials: async () => bearer(await wpt(await wit())),
    refusal: 'type',
    because: 'kinds exclude each other',
  },
  {
    name: 'WPT: without a WIT',
    credentials: async () => ({
      ...workloadAlone('', await wpt(await wit())),
      workloadToken: null,
    }),
    refusal: 'credentials_malformed',
    because: 'proves nothing by itself',
  },
  {
    name: 'WPT: without a WIT, beside a token',
    credentials: async () => ({ ...(await beside(await token())), workloadToken: null }),
    refusal: 'workload missing',
    because: 'as above',
  },
  {
    name: 'WPT: two headers',
    credentials: async () => {
      const text = await wit()
      const proof = await wpt(text)
      return workloadAlone(text, `${proof}, ${proof}`)
    },
    refusal: 'workload several',
    because: 'which of them is used up?',
  },
  lacking('jti', 'claim'),
  lacking('wth', 'token'),
  lacking('aud', 'target'),
  lacking('exp', 'claim'),
  attack(
    'no typ',
    (text) => signAs(HELD, '{"alg":"ES256"}', json(wptPayload(text))),
    'type',
    'draft §2',
  ),
  claims(
    'the wth of another WIT',
    { wth: `"${hashOf(OTHER_WIT)}"` },
    'token',
    'a proof belongs to one WIT',
  ),
  attack('made for another WIT of the same key', () => wpt(OTHER_WIT), 'token', 'as above'),
  attack(
    'signed by another key',
    (text) => wpt(text, {}, {}, by('thief')),
    'signature',
    'what a thief can sign',
  ),
  attack(
    'with an altered claim',
    async (text) => swapped(await wpt(text), json({ ...wptPayload(text), jti: '"proof-2"' })),
    'signature',
    'what signatures are for',
  ),
  header('typ JWT', { typ: '"JWT"' }, 'type', 'kinds exclude each other'),
  header('typ dpop+jwt', { typ: '"dpop+jwt"' }, 'type', 'kinds exclude each other'),
  header('typ wit+jwt', { typ: '"wit+jwt"' }, 'type', 'kinds exclude each other'),
  header('alg none', { alg: '"none"' }, 'algorithm', 'draft §2'),
  header('alg HS256', { alg: '"HS256"' }, 'algorithm', 'draft §2'),
  header(
    'alg EdDSA with an ES256 key',
    { alg: '"EdDSA"' },
    'algorithm',
    'not that of `cnf.jwk`',
    by('workload', 'EdDSA'),
  ),
  header('alg ES384', { alg: '"ES384"' }, 'algorithm', 'not that of `cnf.jwk`'),
  header('crit', { crit: '["exp"]' }, 'critical', 'RFC 7515 §4.1.11'),
  attack(
    'its own key in the header',
    async (text) =>
      wpt(text, {}, { jwk: JSON.stringify(await publicPart(by('thief'))) }, by('thief')),
    'signature',
    'the WIT names the key',
  ),
  claims(
    'aud another resource',
    { aud: '"https://mcp.example.com/other/mcp"' },
    'target',
    'draft §2',
  ),
  claims(
    'aud the origin alone',
    { aud: '"https://mcp.example.com"' },
    'target',
    'draft §2: the target URI',
  ),
  claims('aud a longer path', { aud: `"${RESOURCE}/x"` }, 'target', 'draft §2'),
  claims(
    'aud over http',
    { aud: `"${RESOURCE.replace('https', 'http')}"` },
    'target',
    'another address',
  ),
  claims(
    'aud for two resources',
    { aud: `["${RESOURCE}","https://mcp.example.com/other/mcp"]` },
    'target',
    'could be carried on',
  ),
  claims('aud an empty list', { aud: '[]' }, 'target', 'names nothing'),
  claims('aud a number', { aud: '1' }, 'target', 'names nothing'),
  claims('exp passed', { exp: `${SECONDS - 6}` }, 'time', 'draft §2'),
  claims('exp far ahead', { exp: `${SECONDS + 3600}` }, 'time', 'draft §2: minutes'),
  claims(
    'exp far ahead, iat ahead as well',
    { iat: `${SECONDS + 50}`, exp: `${SECONDS + 390}` },
    'time',
    'would be remembered too long',
  ),
  claims('exp a string', { exp: `"${SECONDS}"` }, 'claim', 'RFC 7519 §2'),
  claims(
    'iat ahead',
    { iat: `${SECONDS + 61}`, exp: `${SECONDS + 90}` },
    'time',
    'made in advance',
  ),
  claims('nbf ahead', { nbf: `${SECONDS + 61}` }, 'time', 'made in advance'),
  claims('jti empty', { jti: '""' }, 'claim', 'could not be used up'),
  claims('jti of 257 letters', { jti: `"${'a'.repeat(257)}"` }, 'claim', 'must be remembered'),
  claims('jti a number', { jti: '1' }, 'claim', 'could not be used up'),
  claims('jti twice', { jti: '"a","jti":"b"' }, 'payload', 'which of them is used up?'),
  claims(
    'an ath without an access token',
    { ath: `"${hashOf('token')}"` },
    'token',
    'the token was taken away',
  ),
  claims(
    'a tth without a transaction token',
    { tth: `"${hashOf('token')}"` },
    'token',
    'the token was taken away',
  ),
  claims(
    'oth with an unknown header',
    { oth: `{"x-user":"${hashOf('alice')}"}` },
    'token',
    'draft §2: not understood',
  ),
  claims(
    'oth with __proto__',
    { oth: `{"__proto__":"${hashOf('alice')}"}` },
    'token',
    'must not find an inherited member',
  ),
  claims(
    'oth naming a header that is not here',
    { oth: `{"txn-token":"${hashOf('x')}"}` },
    'token',
    'the token was taken away',
  ),
  claims('oth a string', { oth: '"x"' }, 'claim', 'draft §2'),
  claims('oth null', { oth: 'null' }, 'claim', 'draft §2'),
  claims('an oversized one', { x: `"${'a'.repeat(4096)}"` }, 'spelling', '4 KB'),
  attack(
    'a re-spelled signature',
    async (text) => `${await wpt(text)}=`,
    'spelling',
    'two texts of one proof',
  ),
  attack('cut off', async (text) => (await wpt(text)).slice(0, -90), 'spelling', 'no JWS'),
  {
    name: 'WPT: a transaction token that it does not name',
    credentials: async () => {
      const text = await wit()
      return { ...workloadAlone(text, await wpt(text)), transactionToken: 'txn' }
    },
    refusal: 'workload token',
    because: 'draft §2: `tth` is mandatory then',
  },
  {
    name: 'WPT: the tth of another transaction token',
    credentials: async () => {
      const text = await wit()
      const proof = await wpt(text, { tth: `"${hashOf('txn-2')}"` })
      return { ...workloadAlone(text, proof), transactionToken: 'txn' }
    },
    refusal: 'workload token',
    because: 'put beside it by somebody else',
  },
  {
    name: 'WPT: of WIMSE, under the other name of Ed25519',
    credentials: async () => {
      const signer = by('workload', 'EdDSA')
      const cnf = JSON.stringify({ jwk: { ...(await publicPart(signer)), alg: 'EdDSA' } })
      const text = await meshWit({ cnf })
      return workloadAlone(text, await wpt(text, {}, { alg: '"Ed25519"' }, signer))
    },
    refusal: 'workload algorithm',
    because: 'draft §2: string-equal',
  },
  {
    name: 'WPT: with a DPoP proof as well',
    credentials: async () => {
      const text = await wit()
      return { ...workloadAlone(text, await wpt(text)), dpop: await wpt(text) }
    },
    refusal: 'credentials_malformed',
    because: 'a DPoP proof belongs to a token',
  },
  {
    name: 'WPT beside a token: without ath',
    credentials: async () => {
      const text = await wit()
      return { ...bearer(await userToken()), workloadToken: text, workloadProof: await wpt(text) }
    },
    refusal: 'workload token',
    because: 'draft §2: `ath` is mandatory then',
  },
  besideToken(
    'the ath of another token',
    { ath: `"${hashOf('another')}"` },
    'workload token',
    'a stolen proof beside a stolen token',
  ),
  besideToken('ath null', { ath: 'null' }, 'workload token', 'not absent'),
  besideToken('another agent in the token', {}, 'workload binding', 'two names for who acts', {
    act: '{"sub":"bot"}',
  }),
  besideToken('may_act names another', {}, 'workload binding', 'RFC 8693 §4.4', {
    may_act: '{"sub":"bot"}',
  }),
  besideToken(
    'the subject is the workload itself',
    {},
    'workload binding',
    'acting for oneself is a cycle',
    { sub: `"${WORKLOAD}"` },
  ),
  besideToken('the workload acted before', {}, 'claim', 'a cycle', {
    act: `{"sub":"${WORKLOAD}","act":{"sub":"${DOMAIN}/b","act":{"sub":"${WORKLOAD}"}}}`,
  }),
  besideToken('an expired user token', {}, 'expired', 'the workload does not mend it', {
    iat: `${SECONDS - 100}`,
    exp: `${SECONDS - 10}`,
  }),
  besideToken(
    'an expired WIT',
    {},
    'workload time',
    'nor the token the WIT',
    {},
    { iat: `${SECONDS - 100}`, exp: `${SECONDS - 10}` },
  ),
  {
    name: 'WPT beside a token: two Authorization methods',
    credentials: async () => {
      const { authorization, ...rest } = await beside(await userToken())
      return { ...rest, authorization: `${authorization}, ${authorization}` }
    },
    refusal: 'credentials_malformed',
    because: 'RFC 6750 §2',
  },
]

const swapped = (text: string, payload: string): string => {
  const [head, , signature] = text.split('.')
  return `${head}.${Buffer.from(payload).toString('base64url')}.${signature}`
}
