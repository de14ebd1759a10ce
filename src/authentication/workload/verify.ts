// A workload's own token and the proof of its key, from the request's two headers.

import { ok, type Result } from '../../result.ts'
import type { AuthenticationContext } from '../context.ts'
import type { Credentials } from '../credentials.ts'
import { workloadProofInvalid, type AuthenticationRefusal } from '../refusal.ts'
import type { VerifiedWorkload } from '../workload-claims.ts'
import { verifyWit } from './wit.ts'
import { checkWpt } from './wpt.ts'

/** `accessToken` is the token in the Authorization header, which the proof must name; null: none. */
export async function verifyWorkload(
  credentials: Credentials,
  accessToken: string | null,
  context: AuthenticationContext,
): Promise<Result<VerifiedWorkload, AuthenticationRefusal>> {
  const { workloadToken, workloadProof } = credentials
  if (workloadToken === null || workloadProof === null) {
    return workloadProofInvalid('missing', 'a workload token and its proof come together')
  }
  const wit = await verifyWit(workloadToken, context)
  if (!wit.ok) return wit
  const proof = await checkWpt(workloadProof, wit.value, accessToken, credentials, context)
  if (!proof.ok) return proof
  const { thumbprint } = proof.value
  return ok({
    ...wit.value.workload,
    // A WIT is for everybody; its proof is for this resource.
    audience: [],
    binding: { kind: 'workload', thumbprint },
    proof: proof.value,
  })
}
