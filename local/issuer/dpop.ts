// Proofs of possession at the token endpoint (RFC 9449 §5).

import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify, type JWK } from 'jose'
import { OAuthError } from './oauth-error.ts'

/** How far a client's clock may be off; a proof is good for as long. */
const WINDOW_S = 300

export const PROOF_ALGORITHMS: readonly string[] = ['ES256', 'Ed25519', 'RS256', 'PS256']

/** The thumbprint of the key that the client holds; undefined: it shows none. */
export async function proofThumbprint(
  proof: string | undefined,
  tokenEndpoint: string,
): Promise<string | undefined> {
  if (proof === undefined) return undefined
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...PROOF_ALGORITHMS],
      maxTokenAge: WINDOW_S,
      clockTolerance: 5,
      requiredClaims: ['jti', 'iat'],
    })
    if (payload['htm'] !== 'POST' || payload['htu'] !== tokenEndpoint) throw INVALID
    return await calculateJwkThumbprint(protectedHeader.jwk as JWK)
  } catch (error) {
    if (error instanceof errors.JOSEError) throw INVALID
    throw error
  }
}

const INVALID = new OAuthError('invalid_dpop_proof', 'the DPoP proof is not one for this request')
