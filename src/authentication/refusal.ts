import { err, type Err } from '../result.ts'

/** Why a token proves nothing. Goes to the record and the operator; the wire says only `invalid_token`. */
export type TokenFault =
  | 'spelling'
  | 'not_jwt'
  | 'header'
  | 'type'
  | 'critical'
  | 'algorithm'
  | 'key_unknown'
  | 'signature'
  | 'payload'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  | 'lifetime'
  | 'claim'
  | 'bound'
  /** The issuer itself says that the token does not hold (RFC 7662 §2.2). */
  | 'inactive'

/** Why a proof of possession proves nothing: of a DPoP key, or of a workload's. */
export type ProofFault =
  | 'missing'
  | 'several'
  | 'spelling'
  | 'header'
  | 'type'
  | 'critical'
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'payload'
  | 'claim'
  | 'method'
  | 'target'
  | 'time'
  | 'token'
  | 'binding'
  /** It was shown with another request before. */
  | 'used'

/** Door one's refusals (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1). */
export type AuthenticationRefusal =
  | { readonly at: 'authenticate'; readonly reason: 'credentials_missing' }
  /** Two credentials, a token in the query, an unreadable Authorization header: 400, not 401. */
  | {
      readonly at: 'authenticate'
      readonly reason: 'credentials_malformed'
      readonly detail: string
    }
  | {
      readonly at: 'authenticate'
      readonly reason: 'token_invalid'
      readonly fault: TokenFault
      readonly detail: string
    }
  | { readonly at: 'authenticate'; readonly reason: 'issuer_unknown' }
  | { readonly at: 'authenticate'; readonly reason: 'tenant_mismatch' }
  /** The issuer's keys cannot be had now: the token may be good, so 503 and never 401. */
  | { readonly at: 'authenticate'; readonly reason: 'issuer_unavailable' }
  /** The issuer does not say now whether the token holds: 503 as well. */
  | { readonly at: 'authenticate'; readonly reason: 'introspection_unavailable' }
  /** Nor does the status list that the token names. */
  | { readonly at: 'authenticate'; readonly reason: 'status_list_unavailable' }
  /** The token may be good; the DPoP proof beside it is not (RFC 9449 §7.1: `invalid_dpop_proof`). */
  | {
      readonly at: 'authenticate'
      readonly reason: 'proof_invalid'
      readonly fault: ProofFault
      readonly detail: string
    }
  /** The proof must carry this nonce (RFC 9449 §9). Sent to the client, so it is no secret. */
  | { readonly at: 'authenticate'; readonly reason: 'proof_nonce'; readonly nonce: string }
  /** A WIT or WPT that proves nothing: 400, as the WIMSE proof says, not 401. */
  | {
      readonly at: 'authenticate'
      readonly reason: 'workload_proof_invalid'
      readonly fault: ProofFault
      readonly detail: string
    }

/** That of the two kinds of proof which can still be wrong where the token is good. */
export type ProofRefusal = Extract<
  AuthenticationRefusal,
  { reason: 'proof_invalid' | 'proof_nonce' | 'workload_proof_invalid' }
>

/** INVARIANT: `detail` is one of our own fixed texts: nothing of a token ever enters a refusal. */
export function tokenInvalid(fault: TokenFault, detail: string): Err<AuthenticationRefusal> {
  return err({ at: 'authenticate', reason: 'token_invalid', fault, detail })
}

/** INVARIANT: as above. */
export function proofInvalid(fault: ProofFault, detail: string): Err<ProofRefusal> {
  return err({ at: 'authenticate', reason: 'proof_invalid', fault, detail })
}

/** INVARIANT: as above. */
export function workloadProofInvalid(fault: ProofFault, detail: string): Err<ProofRefusal> {
  return err({ at: 'authenticate', reason: 'workload_proof_invalid', fault, detail })
}

/**
 * Which faults a fresh look at the issuer rows could cure. The others follow from the token and the
 * clock alone, so a bad token of a known issuer costs no read of the database.
 */
const CURABLE_FAULTS: Readonly<Record<TokenFault, boolean>> = {
  spelling: false,
  // An opaque token is one only where a row of the tenant takes such tokens.
  not_jwt: true,
  header: false,
  type: true,
  critical: false,
  algorithm: true,
  // The row's `jwks_uri` may have moved: an isolate that keeps the old row would refuse for ever.
  key_unknown: true,
  // So may keys that share a `kid` with the old ones.
  signature: true,
  payload: false,
  issuer: false,
  audience: false,
  expired: false,
  not_yet_valid: false,
  lifetime: true,
  claim: false,
  bound: false,
  // The row says where to ask and as whom.
  inactive: true,
}

/** The same of a workload's documents: what its trust domain's row, and the keys behind it, decide. */
const CURABLE_WORKLOAD_FAULTS: ReadonlySet<ProofFault> = new Set<ProofFault>([
  'algorithm',
  'key',
  'signature',
  'time',
])

/**
 * Whether a fresh look at the issuer rows could change this refusal. Remembered rows may refuse
 * and never accept; where this says yes, even a refusal needs rows read after the call arrived.
 */
export function curableByRows(refusal: AuthenticationRefusal): boolean {
  switch (refusal.reason) {
    case 'credentials_missing':
    case 'credentials_malformed':
    // A DPoP proof is judged by the token beside it, the clock and our own addresses.
    case 'proof_invalid':
    case 'proof_nonce':
      return false
    case 'token_invalid':
      return CURABLE_FAULTS[refusal.fault]
    case 'workload_proof_invalid':
      return CURABLE_WORKLOAD_FAULTS.has(refusal.fault)
    case 'issuer_unknown':
    // `tenant_claim` and `jwks_uri` are columns of the row.
    case 'tenant_mismatch':
    case 'issuer_unavailable':
    // `introspection_url` as well.
    case 'introspection_unavailable':
    // `status_list` too.
    case 'status_list_unavailable':
      return true
  }
}
