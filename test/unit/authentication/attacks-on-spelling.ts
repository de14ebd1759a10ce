import { base64url, CompactEncrypt } from 'jose'
import { attack, type Attack } from './attack.ts'
import { HEADER, json, PAYLOAD, sign, SIGNING_ALGORITHMS, token, tokenBy } from './token-smith.ts'

/** The same bytes, written with other unused bits in the last letter (RFC 4648 §3.5). */
function respelled(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) + 1)
}

/** Algorithms whose signatures leave unused bits; ES384's 96 bytes fill their letters exactly. */
const WITH_SPARE_BITS = SIGNING_ALGORITHMS.filter((name) => name !== 'ES384')

const RESPELLED: readonly Attack[] = [
  ...WITH_SPARE_BITS.map((name) =>
    attack(
      `other unused bits, ${name}`,
      async () => respelled(await tokenBy(name)),
      'spelling',
      'jose accepts: a second text of one token',
    ),
  ),
  ...SIGNING_ALGORITHMS.map((name) =>
    attack(
      `padding, ${name}`,
      async () => `${await tokenBy(name)}==`,
      'spelling',
      'jose accepts: a second text of one token',
    ),
  ),
  ...[' ', '\t', '\f', '\n'].map((blank) =>
    attack(
      `${JSON.stringify(blank)} in the signature`,
      async () => (await token()).replace(/(.{8})$/, `${blank}$1`),
      'credentials_malformed',
      'jose accepts: a second text of one token',
    ),
  ),
  attack(
    'a final newline',
    async () => `${await token()}\n`,
    'credentials_malformed',
    'jose accepts',
  ),
  attack(
    'a final blank',
    async () => `${await token()} `,
    'credentials_malformed',
    'a second text of one token',
  ),
  attack(
    'standard base64',
    async () => `${(await token()).slice(0, -3)}+/A`,
    'spelling',
    'another alphabet',
  ),
  attack(
    'header re-spelled',
    async () => {
      const [head = '', ...rest] = (await sign(`${json(HEADER)} `.padEnd(52), json(PAYLOAD))).split(
        '.',
      )
      return [respelled(head), ...rest].join('.')
    },
    'spelling',
    'before the signature is even looked at',
  ),
  attack(
    'padding in the middle',
    async () => (await token()).replace('.', '=.'),
    'credentials_malformed',
    'no token68',
  ),
]

const FORMS: readonly Attack[] = [
  attack(
    'opaque',
    'mF_9.B5f-4.1JqM'.replaceAll('.', ''),
    'not_jwt',
    'introspection is not configured',
  ),
  attack(
    'two parts',
    async () => (await token()).split('.').slice(0, 2).join('.'),
    'not_jwt',
    'no signature',
  ),
  attack('four parts', async () => `${await token()}.AAAA`, 'not_jwt', 'not a compact JWS'),
  attack(
    'empty signature',
    async () => `${(await token()).split('.').slice(0, 2).join('.')}.`,
    'spelling',
    'the form of an unsecured token',
  ),
  attack(
    'empty payload',
    async () => (await token()).replace(/\.[^.]+\./, '..'),
    'spelling',
    'detached content (RFC 7515 §F)',
  ),
  attack(
    'encrypted',
    () =>
      new CompactEncrypt(new TextEncoder().encode(json(PAYLOAD)))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', typ: 'at+jwt' })
        .encrypt(new Uint8Array(32)),
    'not_jwt',
    'no JWE: no decompression bomb, no PBES2 count',
  ),
  attack(
    'JSON serialisation',
    async () => {
      const [head, payload, signature] = (await token()).split('.')
      return base64url.encode(JSON.stringify({ protected: head, payload, signature }))
    },
    'not_jwt',
    'compact only',
  ),
  attack(
    '16,385 letters',
    () => `${'A'.repeat(16_000)}.${'A'.repeat(200)}.${'A'.repeat(183)}`,
    'spelling',
    'bounded before anything is decoded',
  ),
]

export const SPELLING_ATTACKS: readonly Attack[] = [...RESPELLED, ...FORMS]
