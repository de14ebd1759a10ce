// Pure. A workload that proved who it is -> claims, or the agent of somebody else's token.

import type { Binding, ProofUse } from './binding.ts'
import type { TokenClaims } from './claims.ts'

/** What a JWT-SVID, or a WIT with its WPT, proves. All of it was checked, the clock included. */
export interface VerifiedWorkload {
  /** The issuer row's url: a trust domain, `spiffe://…` or `wimse://…`. */
  readonly issuer: string
  /** The whole id, with its trust domain. */
  readonly id: string
  /** Null only where the document has no name of its own: then it cannot be revoked by it. */
  readonly tokenId: string | null
  /** The `kid` of the trust domain's key that signed it. */
  readonly keyId: string
  readonly audience: readonly string[]
  /** Epoch seconds. */
  readonly issuedAt: number | null
  readonly expiresAt: number
  readonly notBefore: number | null
  /** The key that was shown: null for a JWT-SVID, which is a bearer token. */
  readonly binding: Binding | null
  readonly proof: ProofUse | null
}

/**
 * A workload that comes by itself is subject and client in one. Its keys are no part of this.
 *
 * INVARIANT: it never speaks for a user: what else such a document says (`act`, `scope`, `client_id`,
 * `auth_time`) is not read at all.
 */
export const workloadClaims = (workload: VerifiedWorkload, tenant: string): TokenClaims => ({
  issuer: workload.issuer,
  subject: workload.id,
  client: workload.id,
  tokenId: workload.tokenId,
  keyId: workload.keyId,
  agent: null,
  actorChain: [],
  mayAct: null,
  scopes: [],
  authorizationDetails: null,
  audience: workload.audience,
  issuedAt: workload.issuedAt,
  expiresAt: workload.expiresAt,
  notBefore: workload.notBefore,
  sessionId: null,
  transaction: null,
  authTime: null,
  acr: null,
  tenant,
})
