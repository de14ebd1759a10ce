import type { Attack } from './attack.ts'
import { dpopCredentials, type ProofChanges } from './proof-smith.ts'
import type { Members } from './token-smith.ts'

/** A bound token with this proof. */
export const proof = (
  name: string,
  changes: ProofChanges,
  refusal: string,
  because: string,
  more: Parameters<typeof dpopCredentials>[1] = {},
): Attack => ({
  name: `proof: ${name}`,
  credentials: () => dpopCredentials(changes, more),
  refusal,
  because,
})

export const says = (name: string, payload: Members, refusal: string, because: string): Attack =>
  proof(name, { payload }, refusal, because)

export const headed = (name: string, header: Members, refusal: string, because: string): Attack =>
  proof(name, { header }, refusal, because)
