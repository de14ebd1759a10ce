import type { AuthenticationContext } from '../../../../src/authentication/context.ts'
import type { Credentials } from '../../../../src/authentication/credentials.ts'
import type { AuthenticationRefusal } from '../../../../src/authentication/refusal.ts'

/** As `Attack`, with credentials of any form. */
export interface WorkloadAttack {
  readonly name: string
  readonly credentials: () => Promise<Credentials>
  readonly refusal: string
  readonly because: string
  readonly context?: Partial<AuthenticationContext>
}

/** `reason`; of `token_invalid` its fault, of `workload_proof_invalid` the same after `workload`. */
export function workloadCellOf(refusal: AuthenticationRefusal): string {
  if (refusal.reason === 'token_invalid') return refusal.fault
  return refusal.reason === 'workload_proof_invalid' ? `workload ${refusal.fault}` : refusal.reason
}
