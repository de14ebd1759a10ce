import type { MessageRefusal } from '../mcp/refusal.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import type { AuthenticationRefusal } from '../authentication/refusal.ts'

/**
 * Every expected "no" of the journey: one closed union, one mapping to the wire (`refuse.ts`).
 * A *denial* is the part of it that the policy itself speaks (`at: 'decide'`).
 */
export type Refusal =
  | ReceiveRefusal
  | AuthenticationRefusal
  | MessageRefusal
  | DecisionRefusal
  | UnavailableRefusal
  | ForwardRefusal

export type ReceiveRefusal =
  | { readonly at: 'receive'; readonly reason: 'host_not_allowed' }
  | { readonly at: 'receive'; readonly reason: 'origin_not_allowed' }
  | { readonly at: 'receive'; readonly reason: 'server_unknown' }
  | { readonly at: 'receive'; readonly reason: 'method_not_allowed' }
  | { readonly at: 'receive'; readonly reason: 'media_type_unsupported' }
  | { readonly at: 'receive'; readonly reason: 'encoding_unsupported' }
  | { readonly at: 'receive'; readonly reason: 'not_acceptable' }
  | { readonly at: 'receive'; readonly reason: 'body_too_large'; readonly limitBytes: number }

/** Sallyport itself cannot decide now. Always 503 with `Retry-After`, never 401, never a 500. */
export type UnavailableRefusal =
  /** A demo or loopback trust root behind a public origin, or a trigger that a rebuild dropped. */
  | { readonly at: 'decide'; readonly reason: 'unsafe_configuration'; readonly detail: string }
  | { readonly at: 'decide'; readonly reason: 'facts_unavailable' }
  | { readonly at: 'decide'; readonly reason: 'session_unavailable' }
  /** What the server would have to be shown cannot be had now. */
  | { readonly at: 'decide'; readonly reason: 'credential_unavailable' }

export type ForwardRefusal =
  | { readonly at: 'forward'; readonly reason: 'upstream_unreachable' }
  | { readonly at: 'forward'; readonly reason: 'upstream_timeout' }
  /** The upstream answered 401, 403 or a redirect: its quarrel with us, not with the client. */
  | { readonly at: 'forward'; readonly reason: 'upstream_refused'; readonly status: number }
  | { readonly at: 'forward'; readonly reason: 'upstream_malformed'; readonly detail: string }
  /** It offers no stream, or no second one: said with its own status. */
  | { readonly at: 'forward'; readonly reason: 'stream_declined'; readonly status: number }
  /** The upstream has acted, and the token ended before its answer came. */
  | { readonly at: 'forward'; readonly reason: 'token_ended' }
  /** The upstream has acted, and whether the client may see the result cannot be decided now. */
  | { readonly at: 'forward'; readonly reason: 'result_undecided' }
