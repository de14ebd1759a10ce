// Pure. Door two's own refusals, in the order of its gates (docs/architecture.md).

/** The kinds of thing that a revocation row can name. One list serves SQL, facts and records. */
export const REVOCATION_KINDS = [
  'token',
  'session',
  'client',
  'subject',
  'agent',
  'server',
  'tool',
  'issuer',
  'tenant',
] as const
export type RevocationKind = (typeof REVOCATION_KINDS)[number]

/** Whose entitlement a pass of the policies judged. */
export type Pass = 'subject' | 'agent'

export type DecisionRefusal =
  | { readonly at: 'decide'; readonly reason: 'revoked'; readonly kind: RevocationKind }
  | { readonly at: 'decide'; readonly reason: 'tenant_inactive' }
  | { readonly at: 'decide'; readonly reason: 'server_inactive' }
  | { readonly at: 'decide'; readonly reason: 'client_unknown' }
  | { readonly at: 'decide'; readonly reason: 'client_inactive' }
  | { readonly at: 'decide'; readonly reason: 'agent_unknown' }
  | { readonly at: 'decide'; readonly reason: 'agent_inactive' }
  | { readonly at: 'decide'; readonly reason: 'tool_unknown'; readonly tool: string }
  | {
      readonly at: 'decide'
      readonly reason: 'insufficient_scope'
      /** Every scope that the operation needs, granted ones included (RFC 6750 §3.1). */
      readonly scopes: readonly string[]
    }
  /** No allow matched: default deny. `pass` says whether the subject or the agent lacked it. */
  | { readonly at: 'decide'; readonly reason: 'not_allowed'; readonly pass: Pass }
  | {
      readonly at: 'decide'
      readonly reason: 'denied_by_policy'
      readonly pass: Pass
      readonly policy: string
    }
  | {
      readonly at: 'decide'
      readonly reason: 'denied_by_sequence'
      readonly rule: string
      readonly ruleReason: string
    }
  | { readonly at: 'decide'; readonly reason: 'rate_limited'; readonly retryAfterSeconds: number }
