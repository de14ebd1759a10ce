// Pure. Whom a tenant trusts, and with which algorithms.

import { err, ok, type Result } from '../result.ts'

/** What an issuer speaks for: users and their clients, workloads, or the people who administer. */
export const ISSUER_KINDS = ['oauth', 'workload', 'access'] as const
export type IssuerKind = (typeof ISSUER_KINDS)[number]

/** Which tokens the issuer's introspection endpoint is asked about. */
export const INTROSPECTIONS = ['never', 'opaque', 'jwt', 'always'] as const

/** One trusted issuer, compiled from its row. `url` is byte-equal to the token's `iss`. */
export interface Issuer {
  readonly tenant: string
  readonly kind: IssuerKind
  /** Of a workload issuer its trust domain, `spiffe://…` or `wimse://…` without a path. */
  readonly url: string
  readonly jwksUri: string
  readonly algorithms: readonly Algorithm[]
  /** The claim that says whose user a token speaks of; null when the issuer serves one tenant. */
  readonly tenantClaim: string | null
  /** Of Cloudflare Access: the AUD tag that its documents must carry. */
  readonly audience: string | null
  /** The longest `exp - iat` that is accepted. */
  readonly maxLifetimeSeconds: number
  /** Where to ask whether a token still holds (RFC 7662); null: nowhere. */
  readonly introspection: IntrospectionRow | null
  /** Where a token is exchanged for one that an upstream gets, and taken back; null: nowhere. */
  readonly exchange: ExchangeRow | null
  /** How people log in to our own pages here; null: nobody does. */
  readonly login: LoginRow | null
  /** Its tokens may declare the task that they are for (src/pdp/declared-task.ts). */
  readonly opensTasks: boolean
  /** Where the status lists of its tokens may be; absent or null: none is looked at. */
  readonly statusList?: string | null
  readonly active: boolean
}

export interface IntrospectionRow {
  readonly url: string
  /** The name of a Worker secret (src/secrets.ts). */
  readonly secret: string
  readonly opaque: boolean
  readonly jwt: boolean
}

export interface ExchangeRow {
  readonly tokenUrl: string
  readonly revocationUrl: string | null
}

export interface LoginRow {
  readonly client: string
  /** The name of a Worker secret; null: a public client. */
  readonly secret: string | null
}

/** The first part of a SPIFFE or WIMSE id, and nothing more (SPIFFE-ID §2.1). */
const TRUST_DOMAIN = /^(?:spiffe|wimse):\/\/[a-z0-9._-]{1,255}$/

export const isTrustDomain = (url: string): boolean => TRUST_DOMAIN.test(url)

interface AlgorithmRow {
  readonly kty: 'EC' | 'OKP' | 'RSA'
  readonly crv: string | null
  /** The algorithm itself: RFC 9864 §2.2 gives EdDSA over Ed25519 a second name. */
  readonly scheme: string
}

/**
 * INVARIANT: asymmetric only. A shared secret in this table would let whoever holds a public key
 * sign with it (RFC 8725 §2.1); `none` and HMAC are absent, and absence is denial.
 */
export const ALGORITHMS = {
  ES256: { kty: 'EC', crv: 'P-256', scheme: 'ES256' },
  ES384: { kty: 'EC', crv: 'P-384', scheme: 'ES384' },
  ES512: { kty: 'EC', crv: 'P-521', scheme: 'ES512' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', scheme: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519', scheme: 'Ed25519' },
  RS256: { kty: 'RSA', crv: null, scheme: 'RS256' },
  RS384: { kty: 'RSA', crv: null, scheme: 'RS384' },
  RS512: { kty: 'RSA', crv: null, scheme: 'RS512' },
  PS256: { kty: 'RSA', crv: null, scheme: 'PS256' },
  PS384: { kty: 'RSA', crv: null, scheme: 'PS384' },
  PS512: { kty: 'RSA', crv: null, scheme: 'PS512' },
} as const satisfies Record<string, AlgorithmRow>

export type Algorithm = keyof typeof ALGORITHMS

export function isAlgorithm(name: unknown): name is Algorithm {
  return typeof name === 'string' && Object.hasOwn(ALGORITHMS, name)
}

/** From the row's text: a JSON array of algorithm names, none of them unknown or repeated. */
export function parseAlgorithms(json: string): Result<readonly Algorithm[], string> {
  let names: unknown
  try {
    names = JSON.parse(json)
  } catch {
    return err('algorithms are not JSON')
  }
  if (!Array.isArray(names) || names.length === 0) {
    return err('algorithms are not a non-empty array')
  }
  const algorithms: Algorithm[] = []
  for (const name of names as readonly unknown[]) {
    if (!isAlgorithm(name)) {
      const known = Object.keys(ALGORITHMS).join(', ')
      return err(`algorithm \`${String(name)}\` is not one of ${known}`)
    }
    if (algorithms.includes(name)) return err(`algorithm \`${name}\` is listed twice`)
    algorithms.push(name)
  }
  return ok(algorithms)
}
