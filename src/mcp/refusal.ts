// Pure. Every expected "no" that the bytes of one message can earn, in the order of the checks
// (MCP 2026-07-28, basic/transports/streamable-http and basic/versioning).
import type { JsonObject } from './value.ts'

export type MessageRefusal =
  /** Not JSON, or JSON that two readers could read differently (duplicate members, bad UTF-8). */
  | { readonly at: 'receive'; readonly reason: 'malformed_json'; readonly detail: string }
  /** A JSON array: batches left the protocol in 2025-06-18, and real servers still run them. */
  | { readonly at: 'understand'; readonly reason: 'batch' }
  | { readonly at: 'understand'; readonly reason: 'malformed_message'; readonly detail: string }
  /** A response where only requests and notifications are handled. */
  | { readonly at: 'understand'; readonly reason: 'response_unexpected' }
  | {
      readonly at: 'understand'
      readonly reason: 'header_mismatch'
      readonly header: string
      readonly detail: string
    }
  | {
      readonly at: 'understand'
      readonly reason: 'version_unsupported'
      readonly requested: string
      readonly supported: readonly string[]
    }
  | { readonly at: 'understand'; readonly reason: 'envelope_incomplete'; readonly missing: string }
  | { readonly at: 'understand'; readonly reason: 'method_unknown'; readonly method: string }
  | { readonly at: 'understand'; readonly reason: 'params_invalid'; readonly detail: string }
  /** A modern client uses what it did not say in this request that it can do. */
  | {
      readonly at: 'understand'
      readonly reason: 'capability_missing'
      readonly required: JsonObject
    }

/** What a reader of one message needs to shape an error for it: its id and its era. */
export type MessageId = string | number
export type Era = 'legacy' | 'modern'
