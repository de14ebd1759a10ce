import type { Era } from '../mcp/refusal.ts'

/** The one thing that helps, for a program to read. */
export type Help =
  | { readonly kind: 'correct_the_request' }
  | { readonly kind: 'obtain_a_token' }
  | { readonly kind: 'obtain_scopes'; readonly scopes: readonly string[] }
  | {
      readonly kind: 'log_in_again'
      readonly acrValues: readonly string[]
      readonly maxAgeSeconds: number | null
    }
  | {
      readonly kind: 'obtain_consent'
      readonly client: string
      readonly tool: string
      readonly access: string
      /** Where the person can give it. */
      readonly page: string
    }
  | { readonly kind: 'ask_for_approval' }
  /** Whoever may open tasks has to open one; the caller cannot. */
  | { readonly kind: 'ask_for_a_task' }
  /** The handle that came with the task says which one is meant. */
  | { readonly kind: 'name_the_task'; readonly header: string }
  | { readonly kind: 'ask_an_administrator' }
  | { readonly kind: 'retry_later'; readonly afterSeconds: number }
  | { readonly kind: 'do_not_retry' }

/** What the client is told. Thresholds, rule texts and other people's activity are not part of it. */
export interface Explanation {
  /** Stable, for programs. Several reasons may share one, so that probing learns nothing. */
  readonly code: string
  readonly sentence: string
  readonly help: Help
  /** HTTP status for a message of this era. */
  readonly status: Readonly<Record<Era, number>>
  /** JSON-RPC error code. Our own lie outside the range that JSON-RPC and MCP keep. */
  readonly rpcCode: number
  /** Members of the error's `data` that the protocol itself asks for. */
  readonly data: Readonly<Record<string, unknown>>
  /** A denial that the model should read: as a tool result where a tool was called. */
  readonly shownToModel: boolean
}

/** Our own JSON-RPC error codes (docs/refusals.md). */
export const RPC = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  headerMismatch: -32020,
  capabilityMissing: -32021,
  versionUnsupported: -32022,
  internal: -32603,
  unauthenticated: 40101,
  denied: 40301,
  serverUnknown: 40401,
  notInSession: 40402,
  tooMany: 42901,
  upstream: 50201,
  unavailable: 50301,
} as const
