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

/** Door one's refusals (RFC 6750 §3, RFC 9728 §5.1). */
export type AuthenticationRefusal =
  | { readonly at: 'authenticate'; readonly reason: 'credentials_missing' }
  /** Two credentials, a token in the query, an unreadable Authorization header: 400, not 401. */
  | { readonly at: 'authenticate'; readonly reason: 'credentials_malformed'; readonly detail: string }
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
