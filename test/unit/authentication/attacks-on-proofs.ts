import { base64url, exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Attack } from './attack.ts'
import { proof, says } from './attack-by-proof.ts'
import { boundTo, dpopCredentials, jktOf, proofFor, respelled } from './proof-smith.ts'
import { contextWith, NO_CREDENTIALS, NOW, SECONDS, token, type Members } from './token-smith.ts'

const SAID: readonly Attack[] = [
  ...['jti', 'htm', 'htu', 'iat', 'ath'].map((name) =>
    proof(`no ${name}`, { without: [name] }, 'proof claim', 'check 3'),
  ),
  says('jti empty', { jti: '""' }, 'proof claim', 'every proof would be the same one'),
  says('jti a number', { jti: '1' }, 'proof claim', 'a string (RFC 9449 §4.2)'),
  says('jti of 257 bytes', { jti: `"${'a'.repeat(257)}"` }, 'proof claim', 'the bound'),
  says(
    'jti with a control letter',
    { jti: String.raw`"a\u0000"` },
    'proof claim',
    'one log line stays one',
  ),
  says('jti null', { jti: 'null' }, 'proof claim', 'present and wrong'),
  says('jti twice', { jti: '"a","jti":"b"' }, 'proof payload', 'used once under each name'),
  says(
    'jti twice by escape',
    { jti: String.raw`"a","\u006ati":"b"` },
    'proof payload',
    'used once under each name',
  ),
  says('htm GET', { htm: '"GET"' }, 'proof method', 'check 8'),
  says('htm post', { htm: '"post"' }, 'proof method', 'methods have a case'),
  says('htm with a blank', { htm: '"POST "' }, 'proof method', 'check 8'),
  says('htm a list', { htm: '["POST"]' }, 'proof claim', 'prints as POST'),
  says('htm null', { htm: 'null' }, 'proof claim', 'check 3'),
  proof('made for GET, sent by POST', { payload: { htm: '"GET"' } }, 'proof method', 'check 8', {
    claims: { jti: '"t"' },
  }),
  says('iat as text', { iat: `"${SECONDS}"` }, 'proof claim', 'compares by other rules'),
  says('iat fractional', { iat: `${SECONDS}.5` }, 'proof claim', 'readers round apart'),
  says('iat negative', { iat: '-1' }, 'proof claim', 'before the epoch'),
  says('iat beyond double', { iat: '1e400' }, 'proof payload', 'Infinity for some'),
  says('iat in milliseconds', { iat: `${NOW}` }, 'proof time', 'check 11'),
  says('iat 61 s ahead', { iat: `${SECONDS + 61}` }, 'proof time', 'check 11: made for later'),
  says(
    'iat 300 s ago',
    { iat: `${SECONDS - 300}` },
    'proof time',
    'check 11: the window ends here',
  ),
  says('iat zero', { iat: '0' }, 'proof time', 'check 11'),
  says(
    'a nonce and 60 s ago',
    { iat: `${SECONDS - 60}`, nonce: '"n"' },
    'proof time',
    'check 11: shorter with a nonce',
  ),
  says('nonce empty', { nonce: '""' }, 'proof claim', 'check 10'),
  says('nonce null', { nonce: 'null' }, 'proof claim', 'present and wrong is not absent'),
  says('nonce a list', { nonce: '["n"]' }, 'proof claim', 'check 10'),
  says('nonce of 257 letters', { nonce: `"${'n'.repeat(257)}"` }, 'proof claim', 'the bound'),
  says(
    'exp passed',
    { exp: `${SECONDS}` },
    'proof time',
    'nobody asks for it, and it means what it says',
  ),
  says('exp as text', { exp: '"9999999999"' }, 'proof claim', 'compares by other rules'),
  says('exp null', { exp: 'null' }, 'proof claim', 'present and wrong is not absent'),
  says('nbf 61 s ahead', { nbf: `${SECONDS + 61}` }, 'proof time', 'as above'),
  says('iss a number', { iss: '7' }, 'proof claim', 'RFC 7519 §4.1.1'),
  says('aud an object', { aud: '{}' }, 'proof claim', 'RFC 7519 §4.1.3'),
  says('nbf as text', { nbf: '"0"' }, 'proof claim', 'compares by other rules'),
  says('ath empty', { ath: '""' }, 'proof token', 'check 12'),
  says('ath null', { ath: 'null' }, 'proof claim', 'check 12'),
  says('ath a list', { ath: '["x"]' }, 'proof claim', 'check 12'),
  proof('payload an array', { rawPayload: '["proof-1"]' }, 'proof payload', 'an object'),
  proof('payload not JSON', { rawPayload: 'proof-1' }, 'proof payload', 'an object'),
  proof(
    'payload with a byte order mark',
    { rawPayload: '\ufeff{}' },
    'proof payload',
    'jose accepts',
  ),
  says(
    'right in all, and over 4 KB',
    { x: `"${'x'.repeat(3000)}"` },
    'proof spelling',
    'the bound',
  ),
  says('33 levels', { x: '['.repeat(32) + ']'.repeat(32) }, 'proof payload', 'depth bound'),
]

/** A proof for one token beside another token: `mine` is sent, the proof is for `other`. */
const exchanged = (
  name: string,
  make: (mine: string, other: string) => Promise<string>,
  refusal: string,
  because: string,
  claims: { readonly mine?: Members; readonly other?: Members } = {},
): Attack => ({
  name: `proof: ${name}`,
  credentials: async () => {
    const mine = await token({ ...boundTo('ES256'), ...claims.mine })
    const other = await token({ ...boundTo('ES256'), jti: '"token-2"', ...claims.other })
    return { ...NO_CREDENTIALS, authorization: `DPoP ${mine}`, dpop: await make(mine, other) }
  },
  refusal,
  because,
})

const part = (text: string, index: number): string => text.split('.')[index] ?? ''

const EXCHANGED: readonly Attack[] = [
  exchanged('ath of another token', (_, other) => proofFor(other), 'proof token', 'check 12'),
  exchanged(
    'ath of the token re-spelled',
    (mine) => proofFor(respelled(mine)),
    'proof token',
    'check 12: octets',
  ),
  exchanged(
    'ath in hex',
    async (mine) => {
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(mine))
      const hex = [...new Uint8Array(digest)]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join('')
      return proofFor(mine, { payload: { ath: `"${hex}"` } })
    },
    'proof token',
    'one spelling',
  ),
  exchanged(
    'ath padded',
    async (mine) => {
      const ath = (
        JSON.parse(new TextDecoder().decode(base64url.decode(part(await proofFor(mine), 1)))) as {
          ath: string
        }
      ).ath
      return proofFor(mine, { payload: { ath: `"${ath}="` } })
    },
    'proof token',
    'one spelling',
  ),
  exchanged(
    'by another key',
    (mine) => proofFor(mine, { by: 'EdDSA' }),
    'proof binding',
    'a stolen token, with the key of the thief',
  ),
  exchanged(
    'by another key of the same kind',
    async (mine) => {
      const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
      const jwk = await exportJWK(publicKey)
      const good = JSON.parse(
        new TextDecoder().decode(base64url.decode(part(await proofFor(mine), 1))),
      ) as Record<string, unknown>
      return new SignJWT(good)
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .sign(privateKey)
    },
    'proof binding',
    'a stolen token, with the key of the thief',
  ),
  exchanged(
    'signed by another key than it shows',
    async (mine) => {
      const [shown, signed] = [await proofFor(mine), await proofFor(mine, { by: 'EdDSA' })]
      return `${part(shown, 0)}.${part(shown, 1)}.${part(signed, 2)}`
    },
    'proof signature',
    'check 6',
  ),
  exchanged(
    'signature of zeros',
    async (mine) => (await proofFor(mine)).replace(/[^.]+$/, 'A'.repeat(86)),
    'proof signature',
    'CVE-2022-21449',
  ),
  exchanged(
    'payload exchanged',
    async (mine, other) => {
      const [a, b] = [await proofFor(other), await proofFor(mine)]
      return `${part(a, 0)}.${part(b, 1)}.${part(a, 2)}`
    },
    'proof signature',
    'check 6',
  ),
  exchanged(
    'the access token itself',
    async (mine) => mine,
    'proof type',
    'kinds exclude each other',
  ),
  exchanged(
    'of a token bound to the key by another thumbprint',
    (mine) => proofFor(mine),
    'proof binding',
    'RFC 7638: SHA-256 over the required members alone',
    { mine: { cnf: `{"jkt":"${jktOf('EdDSA')}"}` } },
  ),
  {
    name: 'proof: as a bearer token',
    credentials: async () => ({
      ...NO_CREDENTIALS,
      authorization: `Bearer ${(await dpopCredentials()).dpop}`,
    }),
    refusal: 'type',
    because: 'kinds exclude each other',
  },
  {
    name: 'proof: as the token it proves',
    credentials: async () => {
      const { dpop } = await dpopCredentials()
      return { ...NO_CREDENTIALS, authorization: `DPoP ${dpop}`, dpop }
    },
    refusal: 'type',
    because: 'kinds exclude each other',
  },
  {
    name: 'proof: beside the token as plain Bearer',
    credentials: async () => {
      const { authorization, ...rest } = await dpopCredentials()
      return { ...rest, authorization: (authorization ?? '').replace('DPoP', 'Bearer') }
    },
    refusal: 'bound',
    because: 'RFC 9449 §7.1: two methods',
  },
  {
    name: 'proof: left out',
    credentials: async () => ({ ...(await dpopCredentials()), dpop: null }),
    refusal: 'proof missing',
    because: 'RFC 9449 §7.1',
  },
  {
    name: 'proof: left out, and the token as plain Bearer',
    credentials: async () => {
      const { authorization, ...rest } = await dpopCredentials()
      return { ...rest, dpop: null, authorization: (authorization ?? '').replace('DPoP', 'Bearer') }
    },
    refusal: 'bound',
    because: 'RFC 9449 §7.2',
  },
  {
    name: 'proof: right, beside a token that is bound to nothing',
    credentials: async () => {
      const plain = await token()
      return { ...NO_CREDENTIALS, authorization: `DPoP ${plain}`, dpop: await proofFor(plain) }
    },
    refusal: 'bound',
    because: 'whoever stole the token could have made it',
  },
  {
    name: 'proof: right, beside a token that has expired',
    credentials: () =>
      dpopCredentials({}, { claims: { iat: `${SECONDS - 1000}`, exp: `${SECONDS - 900}` } }),
    refusal: 'expired',
    because: 'a proof lengthens nothing',
  },
  {
    name: 'proof: made before the clock was set back',
    credentials: () => dpopCredentials(),
    context: { now: () => NOW - 65_000 },
    refusal: 'proof time',
    because: 'check 11, by the clock after the awaits',
  },
  {
    name: 'proof: for a server under a name that is ours no more',
    credentials: () =>
      dpopCredentials({}, { claims: { aud: '"https://alias.example.com/files/mcp"' } }),
    context: {
      ...contextWith(),
      targets: ['https://alias.example.com/files/mcp'],
      resources: ['https://alias.example.com/files/mcp'],
    },
    refusal: 'proof target',
    because: 'the configured addresses, never Host',
  },
]

export const PROOF_ATTACKS: readonly Attack[] = [...SAID, ...EXCHANGED]
