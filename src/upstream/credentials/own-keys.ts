// Sallyport's own keys, out of Worker secrets. Each set has one purpose, and no row can name it.
import { CompactSign, compactVerify, importJWK } from 'jose'
import { ALGORITHMS, isAlgorithm, type Algorithm } from '../../authentication/issuer.ts'
import { isIdentifier } from '../../authentication/text.ts'
import { readObject } from '../../exact-json.ts'
import { isJsonObject, type JsonObject } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'
import type { CredentialKind } from '../../storage/credential-kinds.ts'

/** A JWK set (RFC 7517 §5) each: the first key is used, the others are still, or already, known. */
export interface OwnKeyTexts {
  /** Private signing keys. What only has its public members is published and signs nothing. */
  readonly SIGNING_KEYS?: unknown
  /** `oct` keys of 256 bits. */
  readonly SEALING_KEYS?: unknown
}

/** Which of our own keys a server of that kind cannot be called without. */
export const OWN_KEYS = {
  none: [],
  signed: ['SIGNING_KEYS', 'SEALING_KEYS'],
  exchange: ['SEALING_KEYS'],
  secret: [],
} as const satisfies Readonly<Record<CredentialKind, readonly (keyof OwnKeyTexts)[]>>

export interface SigningKeys {
  readonly signer: { readonly kid: string; readonly algorithm: Algorithm; readonly key: CryptoKey }
  readonly published: readonly JsonObject[]
  /** To verify what we signed ourselves. */
  readonly find: (kid: string) => { readonly algorithm: Algorithm; readonly key: CryptoKey } | null
}

export interface SealingKeys {
  readonly sealer: { readonly kid: string; readonly key: CryptoKey }
  readonly find: (kid: string) => CryptoKey | null
}

/** INVARIANT: fixed texts. Nothing of a key is ever in one of them. */
export type OwnKeyFault =
  | 'there is no such secret'
  | 'it is not the JSON of a JWK set'
  | 'a key has no `kid`, or two have one'
  | 'a key is of a kind that is not used here'
  | 'the first key cannot sign'

/** Public members by type of key (RFC 7518 §6, RFC 8037 §2), so that no private one slips through. */
const PUBLIC_MEMBERS = { EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'], RSA: ['n', 'e'] } as const

export async function readSigningKeys({
  SIGNING_KEYS: text,
}: OwnKeyTexts): Promise<Result<SigningKeys, OwnKeyFault>> {
  const set = readSet(text)
  if (!set.ok) return set
  const read = await Promise.all(set.value.map(readSigningKey))
  const [first, ...others] = read
  if (first === null || first === undefined || others.includes(null)) {
    return err('a key is of a kind that is not used here')
  }
  const keys = read.flatMap((one) => (one === null ? [] : [one]))
  if (first.privateKey === null || !(await canSign(first))) {
    return err('the first key cannot sign')
  }
  const byKid = new Map(
    keys.map(({ kid, algorithm, publicKey }) => [kid, { algorithm, publicKey }]),
  )
  return ok({
    signer: { kid: first.kid, algorithm: first.algorithm, key: first.privateKey },
    published: keys.map(({ published }) => published),
    find: (kid) => {
      const found = byKid.get(kid)
      return found === undefined ? null : { algorithm: found.algorithm, key: found.publicKey }
    },
  })
}

export async function readSealingKeys({
  SEALING_KEYS: text,
}: OwnKeyTexts): Promise<Result<SealingKeys, OwnKeyFault>> {
  const set = readSet(text)
  if (!set.ok) return set
  const keys = new Map<string, CryptoKey>()
  for (const jwk of set.value) {
    const { kty, k, kid } = jwk
    // 32 bytes in base64url.
    if (!isIdentifier(kid) || kty !== 'oct' || typeof k !== 'string' || !/^[\w-]{43}$/.test(k)) {
      return err('a key is of a kind that is not used here')
    }
    // oxlint-disable-next-line no-await-in-loop
    keys.set(kid, await importSealingKey(k))
  }
  const [first] = keys
  if (first === undefined) return err('it is not the JSON of a JWK set')
  const [kid, key] = first
  return ok({ sealer: { kid, key }, find: (name) => keys.get(name) ?? null })
}

const importSealingKey = (k: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('jwk', { kty: 'oct', k, alg: 'A256GCM' }, 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ])

function readSet(text: unknown): Result<readonly JsonObject[], OwnKeyFault> {
  if (typeof text !== 'string' || text === '') return err('there is no such secret')
  const read = readObject(new TextEncoder().encode(text))
  const keys = read.ok ? read.value['keys'] : undefined
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isJsonObject)) {
    return err('it is not the JSON of a JWK set')
  }
  const jwks = keys as readonly JsonObject[]
  const kids = new Set(jwks.map(({ kid }) => kid))
  return kids.size === jwks.length && [...kids].every(isIdentifier)
    ? ok(jwks)
    : err('a key has no `kid`, or two have one')
}

/**
 * Tried once: an RSA key that is too short, or a private part of another public one, shows only in use,
 * and then at every call.
 */
async function canSign({ algorithm, privateKey, publicKey }: SigningKey): Promise<boolean> {
  if (privateKey === null) return false
  try {
    const text = await new CompactSign(new Uint8Array(1))
      .setProtectedHeader({ alg: algorithm })
      .sign(privateKey)
    await compactVerify(text, publicKey, { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}

type SigningKey = NonNullable<Awaited<ReturnType<typeof readSigningKey>>>

async function readSigningKey(jwk: JsonObject) {
  const { alg, kty, crv = null, kid, use = 'sig' } = jwk
  if (!isAlgorithm(alg) || !isIdentifier(kid) || use !== 'sig') return null
  const row = ALGORITHMS[alg]
  if (row.kty !== kty || (row.crv !== null && row.crv !== crv)) return null
  const material = Object.fromEntries(PUBLIC_MEMBERS[row.kty].map((name) => [name, jwk[name]]))
  const published = { kty, ...material, kid, alg, use } as JsonObject
  try {
    const publicKey = await importJWK(published, alg)
    const privateKey = jwk['d'] === undefined ? null : await importJWK({ ...jwk }, alg)
    if (publicKey instanceof Uint8Array || privateKey instanceof Uint8Array) return null
    return { kid, algorithm: alg, published, publicKey, privateKey }
  } catch {
    return null
  }
}
