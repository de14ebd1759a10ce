// Pure. One key of an issuer's set (RFC 7517): public, strong, for signatures, or not at all.

import { base64url, type JWK } from 'jose'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { ALGORITHMS, isAlgorithm, type Algorithm } from './issuer.ts'
import { isCanonicalBase64url } from './spelling.ts'
import { isIdentifier } from './text.ts'

/**
 * What a key of a set signs. `sig` (RFC 7517 §4.2), or no `use` at all: every kind of token that is
 * not named here. In a SPIFFE bundle each kind has keys of its own (SPIFFE bundle §4.2.2).
 */
export const KEY_USES = ['sig', 'jwt-svid', 'wit-svid'] as const
export type KeyUse = (typeof KEY_USES)[number]

/** Only what verification needs, copied member by member: nothing else of the set goes further. */
export interface PublicJwk {
  readonly kid: string
  /** INVARIANT: a key of one use is never chosen for another. */
  readonly use: KeyUse
  /** The algorithm that the issuer bound the key to, or null. */
  readonly alg: string | null
  readonly material:
    | { readonly kty: 'EC'; readonly crv: string; readonly x: string; readonly y: string }
    | { readonly kty: 'OKP'; readonly crv: string; readonly x: string }
    | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
}

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1; `priv` is the private half of newer key types. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

const COORDINATE_BYTES: ReadonlyMap<string, number> = new Map([
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
])

const MIN_MODULUS_BITS = 2048
/** Verifying costs the square of this: a huge key would be paid for with our time. */
const MAX_MODULUS_BITS = 8192

/**
 * Null: a key of no use here (another use, another kind), to be skipped (RFC 7517 §5). An error: a
 * set that holds such a key is not trustworthy at all.
 */
export function readJwk(value: JsonValue): Result<PublicJwk | null, string> {
  if (!isJsonObject(value)) return err('a key is not an object')
  // Who publishes a private or a symmetric key has lost it: anybody can sign with it.
  if (SECRET_MEMBERS.some((name) => value[name] !== undefined) || value['kty'] === 'oct') {
    return err('a key is private or symmetric')
  }
  const { kid, alg = null, use: said, key_ops: operations } = value
  if (kid !== undefined && typeof kid !== 'string') return err('a `kid` is not a string')
  const use = said === undefined ? 'sig' : KEY_USES.find((name) => name === said)
  if (use === undefined) return ok(null)
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return ok(null)
  }
  const material = MATERIAL.get(value['kty'])?.(value) ?? ok(null)
  if (!material.ok) return material
  // A token must name its key, so a key without a name can never be chosen.
  if (material.value === null || !isIdentifier(kid)) return ok(null)
  if (alg !== null && typeof alg !== 'string') return ok(null)
  return ok({ kid, use, alg, material: material.value })
}

type MaterialReader = (jwk: JsonObject) => Result<PublicJwk['material'] | null, string>

/** One row per key type (RFC 7518 §6.1, RFC 8037 §2); a type that is absent is skipped. */
const MATERIAL: ReadonlyMap<JsonValue | undefined, MaterialReader> = new Map<
  JsonValue | undefined,
  MaterialReader
>([
  [
    'EC',
    ({ crv, x, y }) => {
      const size = typeof crv === 'string' ? COORDINATE_BYTES.get(crv) : undefined
      if (typeof crv !== 'string' || size === undefined) return ok(null)
      if (!isOctets(x, size) || !isOctets(y, size)) return err('an EC key has a malformed point')
      return ok({ kty: 'EC', crv, x, y })
    },
  ],
  [
    'OKP',
    ({ crv, x }) => {
      if (crv !== 'Ed25519') return ok(null)
      return isOctets(x, 32) ? ok({ kty: 'OKP', crv, x }) : err('an Ed25519 key is malformed')
    },
  ],
  [
    'RSA',
    ({ n, e }) => {
      if (!isOctets(n) || !isOctets(e)) return err('an RSA key is malformed')
      const bits = bitsOf(base64url.decode(n))
      if (bits < MIN_MODULUS_BITS || bits > MAX_MODULUS_BITS) {
        return err('an RSA modulus is not between 2048 and 8192 bits')
      }
      // With e = 1 every text signs itself; Node accepts that, workerd does not.
      if (!isOddAtLeast3(base64url.decode(e))) return err('an RSA exponent is not odd and above 1')
      return ok({ kty: 'RSA', n, e })
    },
  ],
])

/** Canonical base64url, of this many bytes: two spellings of one key would be two keys to a table. */
function isOctets(value: JsonValue | undefined, size?: number): value is string {
  return (
    typeof value === 'string' &&
    isCanonicalBase64url(value) &&
    (size === undefined || Math.floor((value.length * 3) / 4) === size)
  )
}

/** Leading zero octets do not make a modulus stronger; some issuers send one (RFC 7518 §6.3.1.1). */
function bitsOf(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0)
  if (first === -1) return 0
  return (bytes.length - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24)
}

function isOddAtLeast3(bytes: Uint8Array): boolean {
  const last = bytes[bytes.length - 1] ?? 0
  return bytes.length <= 8 && last % 2 === 1 && (last >= 3 || bytes.slice(0, -1).some((b) => b > 0))
}

/**
 * INVARIANT: one key, one algorithm (RFC 8725 §3.1). A key without `alg` belongs to the first
 * algorithm in its issuer's list that fits it, so the list's order is a preference.
 */
export function isForAlgorithm(
  jwk: PublicJwk,
  algorithm: Algorithm,
  listed: readonly Algorithm[],
): boolean {
  const { scheme } = ALGORITHMS[algorithm]
  if (!fits(jwk, algorithm)) return false
  const bound = jwk.alg ?? listed.find((name) => fits(jwk, name))
  return isAlgorithm(bound) && ALGORITHMS[bound].scheme === scheme
}

function fits({ material }: PublicJwk, algorithm: Algorithm): boolean {
  const row = ALGORITHMS[algorithm]
  return row.kty === material.kty && (material.kty === 'RSA' || row.crv === material.crv)
}

/** In jose's terms, for `importJWK`. */
export const importable = (jwk: Pick<PublicJwk, 'material'>): JWK => ({ ...jwk.material })

/** A key that a token carries itself, so that it needs no name. */
export type CarriedKey = Pick<PublicJwk, 'alg' | 'material'>

/**
 * The key in a proof's header or in a `cnf`. Here a key of another use or kind is no key at all:
 * there is no other one in the set to take.
 */
export function readCarriedKey(value: JsonValue | undefined): Result<CarriedKey, string> {
  if (!isJsonObject(value)) return err('the key is not an object')
  const named: JsonObject = Object.fromEntries([...Object.entries(value), ['kid', 'carried']])
  const jwk = readJwk(named)
  if (!jwk.ok) return jwk
  if (jwk.value?.use !== 'sig') return err('the key is not one for signatures')
  if (value['kid'] !== undefined && typeof value['kid'] !== 'string') {
    return err('a `kid` is not a string')
  }
  const { alg, material } = jwk.value
  // Numbers in as few octets as they take (RFC 7518 §2), or one key would have two thumbprints.
  if (material.kty === 'RSA' && [material.n, material.e].some(beginsWithZero)) {
    return err('a number of the key has leading zeros')
  }
  return ok({ alg, material })
}

const beginsWithZero = (octets: string): boolean => base64url.decode(octets)[0] === 0

/** Whether this algorithm is the key's own: the one it names, or one that its kind can sign with. */
export const isAlgorithmOf = ({ alg, material }: CarriedKey, algorithm: Algorithm): boolean =>
  isForAlgorithm({ kid: '', use: 'sig', alg, material }, algorithm, [algorithm])
