// Who vouches for a workload: the tenant's row for its trust domain, and a key of the right use there.

import type { JsonObject } from '../../mcp/value.ts'
import { err, ok, type Result } from '../../result.ts'
import type { AuthenticationContext } from '../context.ts'
import { isAlgorithm, type Algorithm, type Issuer } from '../issuer.ts'
import type { KeyUse } from '../jwk.ts'
import { isSigned, type Jws } from '../jws.ts'
import { isIdentifier } from '../text.ts'
import type { WorkloadId } from './workload-id.ts'

/**
 * SPIFFE names these and no others, for a document and for the key in it (JWT-SVID §2.1, WIT-SVID
 * §2.3, §3.2): EdDSA is not among them.
 */
const SVID_ALGORITHMS: ReadonlySet<Algorithm> = new Set<Algorithm>([
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
])

/** WIMSE leaves the choice among asymmetric algorithms to us. */
export const isWorkloadAlgorithm = (name: unknown, { scheme }: WorkloadId): name is Algorithm =>
  isAlgorithm(name) && (scheme === 'wimse' || SVID_ALGORITHMS.has(name))

/** What stands in the way; whoever asked says it in the terms of its own document. */
export type VouchingFault =
  | 'domain_unknown'
  | 'tenant_mismatch'
  | 'header'
  | 'algorithm'
  | 'key_unknown'
  | 'signature'
  | 'unavailable'

export interface Voucher {
  readonly issuer: Issuer
  readonly keyId: string
}

/**
 * INVARIANT: the trust domain in the subject chooses the keys, so nobody's keys can vouch for a
 * workload of another trust domain (SPIFFE bundle §3). An `iss`, which both documents may carry,
 * chooses nothing.
 */
export async function vouchedBy(
  document: Jws,
  payload: JsonObject,
  workload: WorkloadId,
  use: KeyUse,
  context: AuthenticationContext,
): Promise<Result<Voucher, VouchingFault>> {
  const { alg, kid } = document.header
  if (!isWorkloadAlgorithm(alg, workload)) return err('algorithm')
  // The standards let a JWT-SVID do without. Trying every key would let a stranger choose how much
  // we compute, and a record could not say which key vouched.
  if (!isIdentifier(kid)) return err('header')

  const issuer = context.issuers.get(workload.trustDomain)
  // Inactive and unknown look alike: nobody learns which trust domains once were trusted.
  if (issuer?.active !== true || issuer.kind !== 'workload') return err('domain_unknown')
  if (
    issuer.tenant !== context.tenant ||
    (issuer.tenantClaim !== null && payload[issuer.tenantClaim] !== context.tenant)
  ) {
    return err('tenant_mismatch')
  }
  if (!issuer.algorithms.includes(alg)) return err('algorithm')

  const key = await context.keys.find(issuer, kid, alg, use)
  if (key === 'unavailable') return err('unavailable')
  if (key === 'unknown') return err('key_unknown')
  return (await isSigned(document, key, alg)) ? ok({ issuer, keyId: kid }) : err('signature')
}
