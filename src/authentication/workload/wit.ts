// A Workload Identity Token (draft-ietf-wimse-workload-creds-02 §3.1; of SPIFFE, a WIT-SVID).

import { isJsonObject, type JsonObject } from '../../mcp/value.ts'
import { err, ok, type Err, type Result } from '../../result.ts'
import type { AuthenticationContext } from '../context.ts'
import type { Algorithm } from '../issuer.ts'
import { isAlgorithmOf, readCarriedKey, type CarriedKey } from '../jwk.ts'
import { readJws, typeOf } from '../jws.ts'
import { readSegment } from '../payload.ts'
import { workloadProofInvalid, type AuthenticationRefusal } from '../refusal.ts'
import { isIdentifier } from '../text.ts'
import type { VerifiedWorkload } from '../workload-claims.ts'
import { readTimes } from './times.ts'
import { isWorkloadAlgorithm, vouchedBy, type VouchingFault } from './trust-domain.ts'
import { readWorkloadId, type WorkloadId } from './workload-id.ts'

/** INVARIANT: proves nothing without a proof of this key (§3.1: it must not be a bearer token). */
export interface Wit {
  readonly text: string
  readonly workload: Omit<VerifiedWorkload, 'audience' | 'binding' | 'proof'>
  readonly key: ConfirmationKey
}

export interface ConfirmationKey extends CarriedKey {
  /** The only algorithm that a proof may be made with. */
  readonly algorithm: Algorithm
}

export async function verifyWit(
  text: string,
  context: AuthenticationContext,
): Promise<Result<Wit, AuthenticationRefusal>> {
  // Two headers arrive joined by a comma (RFC 9110 §5.3), and no token holds one.
  if (text.includes(',')) return workloadProofInvalid('several', 'more than one workload token')
  const document = readJws(text)
  if (!document.ok) {
    const { fault, detail } = document.error
    return workloadProofInvalid(fault === 'not_jwt' ? 'spelling' : fault, detail)
  }
  if (typeOf(document.value) !== 'wit+jwt') {
    return workloadProofInvalid('type', 'the `typ` of the workload token is not wit+jwt')
  }
  const payload = readSegment(document.value.payload)
  if (!payload.ok) return workloadProofInvalid('payload', payload.error)
  const workload = readWorkloadId(payload.value['sub'])
  if (workload === null) {
    return workloadProofInvalid('claim', '`sub` is not the id of a workload')
  }
  const use = workload.scheme === 'spiffe' ? 'wit-svid' : 'sig'
  const voucher = await vouchedBy(document.value, payload.value, workload, use, context)
  if (!voucher.ok) return notVouched(voucher.error)
  const { issuer, keyId } = voucher.value

  const key = readConfirmationKey(payload.value, workload)
  if (!key.ok) return key
  const times = readTimes(payload.value, issuer.maxLifetimeSeconds, context.now())
  if (!times.ok) {
    const { fault, detail } = times.error
    return workloadProofInvalid(fault === 'claim' ? 'claim' : 'time', detail)
  }
  const { jti } = payload.value
  if (jti !== undefined && !isIdentifier(jti)) {
    return workloadProofInvalid('claim', '`jti` is not an identifier')
  }
  return ok({
    text,
    workload: {
      issuer: issuer.url,
      id: workload.id,
      tokenId: jti ?? null,
      keyId,
      ...times.value,
    },
    key: key.value,
  })
}

/** `cnf.jwk`, public, and with the one algorithm of its proofs. */
function readConfirmationKey(
  { cnf }: JsonObject,
  workload: WorkloadId,
): Result<ConfirmationKey, AuthenticationRefusal> {
  // As in access tokens: bound in a way that we cannot check, it would pass with less than that.
  if (!isJsonObject(cnf) || Object.keys(cnf).join() !== 'jwk') {
    return workloadProofInvalid('key', '`cnf` does not name one key')
  }
  const key = readCarriedKey(cnf['jwk'])
  if (!key.ok) return workloadProofInvalid('key', key.error)
  const { alg } = key.value
  if (!isWorkloadAlgorithm(alg, workload) || !isAlgorithmOf(key.value, alg)) {
    return workloadProofInvalid('algorithm', 'the key has no `alg` that is accepted')
  }
  return ok({ ...key.value, algorithm: alg })
}

/** All of it is the sender's to mend, so it is 400 (draft-ietf-wimse-wpt-02 §2.1), but for an outage. */
function notVouched(fault: VouchingFault): Err<AuthenticationRefusal> {
  switch (fault) {
    case 'unavailable':
      return err({ at: 'authenticate', reason: 'issuer_unavailable' })
    case 'domain_unknown':
    case 'tenant_mismatch':
      return workloadProofInvalid('key', 'the trust domain is not one of the tenant')
    case 'header':
      return workloadProofInvalid('header', '`kid` is not an identifier')
    case 'algorithm':
      return workloadProofInvalid('algorithm', '`alg` is not accepted from this trust domain')
    case 'key_unknown':
      return workloadProofInvalid('key', '`kid` names no such key of the trust domain')
    case 'signature':
      return workloadProofInvalid('signature', 'the workload token is not signed by its domain')
  }
}
