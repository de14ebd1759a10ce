// Makes DPoP proofs as raw text, and the credentials that carry them.

import { base64url, exportJWK } from 'jose'
import type { Credentials } from '../../../src/authentication/credentials.ts'
import { hashOf } from '../../../src/authentication/thumbprint.ts'
import {
  json,
  NO_CREDENTIALS,
  pairOf,
  RESOURCE,
  SECONDS,
  sign,
  SIGNING_ALGORITHMS,
  token,
  type Members,
  type SigningAlgorithm,
} from './token-smith.ts'

/** The client's public key as JSON text, member by member in the order of RFC 7638. */
export async function jwkText(algorithm: SigningAlgorithm): Promise<string> {
  const { crv, e, kty, n, x, y } = await exportJWK(pairOf(algorithm).publicKey)
  return JSON.stringify(kty === 'RSA' ? { e, kty, n } : { crv, kty, x, ...(y && { y }) })
}

const jwks = new Map<SigningAlgorithm, string>()
for (const algorithm of SIGNING_ALGORITHMS) jwks.set(algorithm, await jwkText(algorithm))

/** The keys of the token smith serve clients as well: which key signs is all that counts. */
export const jwkOf = (algorithm: SigningAlgorithm): string => jwks.get(algorithm) ?? ''

export const jktOf = (algorithm: SigningAlgorithm): string => hashOf(jwkOf(algorithm))

export const boundTo = (algorithm: SigningAlgorithm): Members => ({
  cnf: `{"jkt":"${jktOf(algorithm)}"}`,
})

export interface ProofChanges {
  readonly payload?: Members
  readonly header?: Members
  /** Members that are left out of either part. */
  readonly without?: readonly string[]
  readonly by?: SigningAlgorithm
  /** The whole part as text, instead of its members. */
  readonly rawHeader?: string
  readonly rawPayload?: string
}

export async function proofFor(accessToken: string, changes: ProofChanges = {}): Promise<string> {
  const by = changes.by ?? 'ES256'
  const left = (members: Members): Members =>
    Object.fromEntries(
      Object.entries(members).filter(([name]) => !(changes.without ?? []).includes(name)),
    )
  const header = { typ: '"dpop+jwt"', alg: `"${by}"`, jwk: jwkOf(by), ...changes.header }
  const payload = {
    jti: '"proof-1"',
    htm: '"POST"',
    htu: `"${RESOURCE}"`,
    iat: `${SECONDS - 1}`,
    ath: `"${hashOf(accessToken)}"`,
    ...changes.payload,
  }
  return sign(
    changes.rawHeader ?? json(left(header)),
    changes.rawPayload ?? json(left(payload)),
    by,
  )
}

/** A token bound to the key, and a proof for it; the texts may still be changed. */
export async function dpopCredentials(
  changes: ProofChanges = {},
  more: Partial<Credentials> & { readonly claims?: Members } = {},
): Promise<Credentials> {
  const { claims, ...rest } = more
  const accessToken = await token({ ...boundTo(changes.by ?? 'ES256'), ...claims })
  return {
    ...NO_CREDENTIALS,
    authorization: `DPoP ${accessToken}`,
    dpop: await proofFor(accessToken, changes),
    ...rest,
  }
}

/** Another text of the same bytes: other unused bits in the last letter. */
export function respelled(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) + 1)
}

/** (r, n - s): as valid as (r, s), and made without the key. */
export function ecdsaTwin(text: string): string {
  const [header = '', payload = '', signature = ''] = text.split('.')
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const bytes = base64url.decode(signature)
  const s = bytes.slice(32).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
  const twin = (order - s).toString(16).padStart(64, '0')
  for (let i = 0; i < 32; i++) bytes[32 + i] = Number.parseInt(twin.slice(2 * i, 2 * i + 2), 16)
  return `${header}.${payload}.${base64url.encode(bytes)}`
}
