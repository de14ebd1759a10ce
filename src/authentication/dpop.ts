// A DPoP proof (RFC 9449): the twelve checks of §4.3. Whether it was used before is asked later.

import { sha256 } from '../sha256.ts'
import { ok, type Result } from '../result.ts'
import type { ProofUse } from './binding.ts'
import { isSignedBy } from './carried-key.ts'
import type { AuthenticationContext } from './context.ts'
import type { Credentials } from './credentials.ts'
import { isAlgorithm, type Algorithm } from './issuer.ts'
import { isAlgorithmOf, readCarriedKey, type PublicJwk } from './jwk.ts'
import { readJws, typeOf, type Jws } from './jws.ts'
import type { JsonObject, JsonValue } from '../mcp/value.ts'
import { readSegment } from './payload.ts'
import { proofInvalid, type AuthenticationRefusal } from './refusal.ts'
import { isSameTarget } from './target.ts'
import { isEpochSeconds, isIdentifier } from './text.ts'
import { hashOf, thumbprintOf } from './thumbprint.ts'

const MAX_PROOF_LENGTH = 4096

/** Told to clients (RFC 9449 §7.1, RFC 9728 §2): one key of each strength that they come with. */
export const PROOF_ALGORITHMS: readonly Algorithm[] = [
  'ES256',
  'ES384',
  'EdDSA',
  'Ed25519',
  'RS256',
  'PS256',
]

/**
 * How long a proof may have been under way. Each is used once and remembered until then, so this
 * bounds memory as much as it bounds what can be done with a proof that was made in advance.
 */
export const PROOF_AGE_SECONDS = 300
/** With a nonce the server's clock says when it was made. */
export const PROOF_AGE_WITH_NONCE_SECONDS = 60
/** How far a client's clock may run ahead of ours. */
export const PROOF_AHEAD_SECONDS = 60

/** The token beside the proof, and the key that it is bound to. */
export interface ProvenToken {
  readonly token: string
  readonly jkt: string
}

export async function checkProof(
  header: string,
  proven: ProvenToken,
  { method }: Pick<Credentials, 'method'>,
  context: Pick<AuthenticationContext, 'targets' | 'now'>,
): Promise<Result<ProofUse, AuthenticationRefusal>> {
  // 1. Not more than one. Two headers arrive joined by a comma, and no proof holds one.
  if (header.includes(',')) return proofInvalid('several', 'more than one proof')
  if (header.length > MAX_PROOF_LENGTH) return proofInvalid('spelling', 'longer than 4 KB')
  // 2. A well-formed JWT.
  const proof = readJws(header)
  if (!proof.ok) {
    const { fault, detail } = proof.error
    return proofInvalid(fault === 'not_jwt' ? 'spelling' : fault, detail)
  }
  // 4. to 5. and 7.: which type, which algorithm, which key.
  const signer = readSigner(proof.value)
  if (!signer.ok) return signer
  const { algorithm, material } = signer.value
  // 3. and 8. to 11.: what it says, for which request, token and time.
  const payload = readSegment(proof.value.payload)
  if (!payload.ok) return proofInvalid('payload', payload.error)
  const said = readProof(payload.value)
  if (!said.ok) return said
  const { issuedAt, expiresAt, notBefore, nonce } = said.value
  // Methods have a case (RFC 9110 §9.1).
  if (said.value.method !== method) return proofInvalid('method', '`htm` is not the method')
  const called = context.targets.find((address) => isSameTarget(said.value.target, address))
  if (called === undefined) return proofInvalid('target', '`htu` is not this resource')
  if (said.value.accessTokenHash !== hashOf(proven.token)) {
    return proofInvalid('token', '`ath` is not the hash of the token')
  }
  // 12. The key that the token is bound to. Before its signature: a stolen token costs no verification.
  const thumbprint = thumbprintOf(material)
  if (thumbprint !== proven.jkt) {
    return proofInvalid('binding', 'the token is bound to another key')
  }
  // 6. The signature.
  if (!(await isSignedBy(proof.value, signer.value, algorithm))) {
    return proofInvalid('signature', 'the signature does not verify')
  }
  const now = context.now() / 1000
  const age = nonce === null ? PROOF_AGE_SECONDS : PROOF_AGE_WITH_NONCE_SECONDS
  if (issuedAt > now + PROOF_AHEAD_SECONDS) return proofInvalid('time', '`iat` lies in the future')
  if (issuedAt <= now - age) return proofInvalid('time', '`iat` lies too far back')
  if (expiresAt !== null && expiresAt <= now) return proofInvalid('time', '`exp` has passed')
  if (notBefore !== null && notBefore > now + PROOF_AHEAD_SECONDS) {
    return proofInvalid('time', '`nbf` lies in the future')
  }
  return ok({
    kind: 'dpop',
    // The address as configured: another spelling of `htu` is another text, but no other proof.
    id: await sha256(JSON.stringify([thumbprint, called, said.value.id])),
    expiresAt: (issuedAt + age) * 1000,
    thumbprint,
    nonce,
  })
}

interface Signer {
  readonly algorithm: Algorithm
  readonly material: PublicJwk['material']
}

function readSigner(proof: Jws): Result<Signer, AuthenticationRefusal> {
  if (typeOf(proof) !== 'dpop+jwt') return proofInvalid('type', '`typ` is not dpop+jwt')
  const { alg, jwk } = proof.header
  // Asymmetric only: the table has no other.
  if (!isAlgorithm(alg) || !PROOF_ALGORITHMS.includes(alg)) {
    return proofInvalid('algorithm', '`alg` is not accepted')
  }
  const key = readCarriedKey(jwk)
  if (!key.ok) return proofInvalid('key', key.error)
  if (!isAlgorithmOf(key.value, alg)) {
    return proofInvalid('algorithm', '`alg` is not one of the key')
  }
  return ok({ algorithm: alg, material: key.value.material })
}

interface Proof {
  readonly id: string
  readonly method: string
  readonly target: string
  readonly issuedAt: number
  readonly accessTokenHash: string
  readonly nonce: string | null
  /** RFC 9449 asks for neither, but whoever sets them means them (RFC 7519 §4.1.4, §4.1.5). */
  readonly expiresAt: number | null
  readonly notBefore: number | null
}

/** RFC 9449 §4.2. Members that are not known here say nothing about the request. */
function readProof(payload: JsonObject): Result<Proof, AuthenticationRefusal> {
  const { jti, htm, htu, iat, ath, nonce = null, exp = null, nbf = null } = payload
  if (!isIdentifier(jti)) return proofInvalid('claim', '`jti` is not an identifier')
  if (typeof htm !== 'string') return proofInvalid('claim', '`htm` is not a string')
  if (typeof htu !== 'string') return proofInvalid('claim', '`htu` is not a string')
  if (!isEpochSeconds(iat)) return proofInvalid('claim', '`iat` is not whole epoch seconds')
  if (typeof ath !== 'string') return proofInvalid('claim', '`ath` is not a string')
  if (payload['nonce'] !== undefined && !isIdentifier(nonce)) {
    return proofInvalid('claim', '`nonce` is not an identifier')
  }
  if (!isAbsentOrTime(exp, payload, 'exp') || !isAbsentOrTime(nbf, payload, 'nbf')) {
    return proofInvalid('claim', '`exp` or `nbf` is not whole epoch seconds')
  }
  // Not asked for here, yet a JWT that has them has them right (RFC 7519 §4.1.1, §4.1.3).
  const { iss = '', aud = '' } = payload
  if (typeof iss !== 'string' || !(typeof aud === 'string' || Array.isArray(aud))) {
    return proofInvalid('claim', '`iss` or `aud` is of a wrong type')
  }
  return ok({
    id: jti,
    method: htm,
    target: htu,
    issuedAt: iat,
    accessTokenHash: ath,
    nonce: nonce as string | null,
    expiresAt: exp,
    notBefore: nbf,
  })
}

const isAbsentOrTime = (
  value: JsonValue,
  payload: JsonObject,
  name: string,
): value is number | null => payload[name] === undefined || isEpochSeconds(value)
