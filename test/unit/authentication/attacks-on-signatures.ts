import { base64url, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { attack, type Attack } from './attack.ts'
import { json, PAYLOAD, token, tokenBy } from './token-smith.ts'

const part = (text: string, index: number): string => text.split('.')[index] ?? ''

export const SIGNATURE_ATTACKS: readonly Attack[] = [
  attack(
    'payload exchanged',
    async () => {
      const [mine, theirs] = [await token(), await token({ sub: '"admin"' })]
      return `${part(mine, 0)}.${part(theirs, 1)}.${part(mine, 2)}`
    },
    'signature',
    'what was signed is what counts',
  ),
  attack(
    'signed by another key',
    () => token({}, {}, 'ES384'),
    'signature',
    'not the key that `kid` names',
  ),
  attack(
    'key of its own in the header',
    async () => {
      const pair = await generateKeyPair('ES256', { extractable: true })
      const jwk = await exportJWK(pair.publicKey)
      return new SignJWT(JSON.parse(json(PAYLOAD)))
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'ES256', jwk })
        .sign(pair.privateKey)
    },
    'signature',
    '`jwk` is attacker input (RFC 8725 §3.10)',
  ),
  attack(
    'jku and x5u',
    () =>
      token({}, { jku: '"https://evil.example/jwks"', x5u: '"https://evil.example/x"' }, 'ES384'),
    'signature',
    'never fetched',
  ),
  attack(
    'signature of zeros',
    async () => (await token()).replace(/[^.]+$/, 'A'.repeat(86)),
    'signature',
    'CVE-2022-21449',
  ),
  attack(
    'signature too short',
    async () => (await token()).replace(/[^.]+$/, 'AAAA'),
    'signature',
    'not 64 bytes',
  ),
  attack(
    'signature in DER',
    async () => {
      const bytes = base64url.decode(part(await token(), 2))
      const der = new Uint8Array([
        0x30,
        68,
        2,
        32,
        ...bytes.slice(0, 32),
        2,
        32,
        ...bytes.slice(32),
      ])
      return (await token()).replace(/[^.]+$/, base64url.encode(der))
    },
    'signature',
    'RFC 7518 §3.4: r and s only',
  ),
  attack(
    'EdDSA with s + L',
    async () => {
      const [head = '', payload = '', signature = ''] = (await tokenBy('EdDSA')).split('.')
      const order = 2n ** 252n + 27742317777372353535851937790883648493n
      const bytes = base64url.decode(signature)
      let s = order
      for (let i = 0; i < 32; i++) s += BigInt(bytes[32 + i] ?? 0) << BigInt(8 * i)
      for (let i = 0; i < 32; i++) bytes[32 + i] = Number((s >> BigInt(8 * i)) & 0xffn)
      return `${head}.${payload}.${base64url.encode(bytes)}`
    },
    'signature',
    'RFC 8032 §5.1.7: s below L',
  ),
]
