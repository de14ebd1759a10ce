// From a token's claims to the caller's: every key that the token is bound to has to be shown.

import { err, ok, type Result } from '../result.ts'
import type { Binding, ProofUse } from './binding.ts'
import type { Claims, UnprovenClaims } from './claims.ts'
import type { AuthenticationContext } from './context.ts'
import type { Credentials } from './credentials.ts'
import { tokenInvalid, type AuthenticationRefusal } from './refusal.ts'
import { withWorkloadAgent } from './workload-scheme.ts'

/**
 * `proof` is a DPoP proof that was found right for this token, or null where none was sent.
 *
 * INVARIANT: the only way from `UnprovenClaims` to `Claims`.
 */
export async function proven(
  unproven: UnprovenClaims,
  proof: ProofUse | null,
  token: string,
  credentials: Credentials,
  context: AuthenticationContext,
): Promise<Result<Claims, AuthenticationRefusal>> {
  const { confirmation, ...said } = unproven
  const { certificate } = credentials
  const bindings: Binding[] = []
  if (confirmation.jkt !== null) {
    // RFC 9449 §7.2: a bound token that comes as a plain one is what a thief can send.
    if (proof === null)
      return tokenInvalid('bound', 'a token bound to a key came without its proof')
    bindings.push({ kind: 'dpop', thumbprint: confirmation.jkt })
  }
  if (confirmation.x5t !== null) {
    // RFC 8705 §3: the certificate of this very connection.
    if (certificate?.thumbprint !== confirmation.x5t) {
      return tokenInvalid('bound', 'a token bound to a certificate came without it')
    }
    bindings.push({ kind: 'certificate', thumbprint: confirmation.x5t })
  }
  const claims: Claims = {
    ...said,
    agentDocument: null,
    bindings,
    senderConstrained: bindings.length > 0,
    proofs: proof === null ? [] : [proof],
  }
  const { workloadToken, workloadProof } = credentials
  if (workloadToken === null && workloadProof === null) return ok(claims)
  if (workloadToken === null || workloadProof === null) return HALF_A_WORKLOAD
  return withWorkloadAgent(claims, token, credentials, context)
}

const HALF_A_WORKLOAD = err({
  at: 'authenticate',
  reason: 'workload_proof_invalid',
  fault: 'missing',
  detail: 'a workload token and its proof come together',
} as const)
