// A workload's own token and proof (WIMSE): by themselves, or beside a user's token to name the agent.

import { ok, type Result } from '../result.ts'
import type { Claims } from './claims.ts'
import type { AuthenticationContext } from './context.ts'
import type { Credentials } from './credentials.ts'
import { workloadProofInvalid, type AuthenticationRefusal } from './refusal.ts'
import { workloadClaims } from './workload-claims.ts'
import { verifyWorkload } from './workload/verify.ts'

/** Nobody else is in the request: the workload is subject and client. */
export async function workloadAlone(
  _token: string,
  credentials: Credentials,
  context: AuthenticationContext,
): Promise<Result<Claims, AuthenticationRefusal>> {
  const workload = await verifyWorkload(credentials, null, context)
  if (!workload.ok) return workload
  const { binding, proof } = workload.value
  return ok({
    ...workloadClaims(workload.value, context.tenant),
    agentDocument: null,
    bindings: binding === null ? [] : [binding],
    senderConstrained: binding !== null,
    proofs: proof === null ? [] : [proof],
  })
}

/**
 * The workload beside somebody's token is the one that acts. Its proof names that token, so that it
 * cannot be put beside another.
 */
export async function withWorkloadAgent(
  claims: Claims,
  accessToken: string,
  credentials: Credentials,
  context: AuthenticationContext,
): Promise<Result<Claims, AuthenticationRefusal>> {
  const workload = await verifyWorkload(credentials, accessToken, context)
  if (!workload.ok) return workload
  const { id, issuer, tokenId, keyId, binding, proof } = workload.value
  // Two names for who acts: a request must not be decided by one and recorded with the other.
  if (claims.agent !== null && claims.agent !== id) {
    return workloadProofInvalid('binding', 'the token names another agent than the workload')
  }
  if (claims.mayAct !== null && claims.mayAct !== id) {
    return workloadProofInvalid('binding', 'the token does not let this workload act')
  }
  // As in a chain of actors: acting for oneself would hide who passed the authority on.
  if (claims.subject === id || claims.actorChain.slice(1).includes(id)) {
    return workloadProofInvalid('binding', 'the workload would act for itself')
  }
  return ok({
    ...claims,
    agent: id,
    agentDocument: { issuer, tokenId, keyId },
    actorChain: claims.agent === null ? [id, ...claims.actorChain] : claims.actorChain,
    bindings: binding === null ? claims.bindings : [...claims.bindings, binding],
    proofs: proof === null ? claims.proofs : [...claims.proofs, proof],
  })
}
