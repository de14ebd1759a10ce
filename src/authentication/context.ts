import type { JsonObject } from '../mcp/value.ts'
import type { Result } from '../result.ts'
import type { Issuer } from './issuer.ts'
import type { KeySource } from './keys.ts'
import type { AuthenticationRefusal } from './refusal.ts'
import type { StatusSource } from './status-list/source.ts'

/** All that a token is judged against. Nothing here comes from the caller. */
export interface AuthenticationContext {
  /** The tenant of the server that is called. */
  readonly tenant: string
  /** Accepted audiences: this server's resource id under each public origin. */
  readonly resources: readonly string[]
  /**
   * What a proof must have been made for: the address that is called, under each public origin.
   * From the configuration, never from `Host`. For an MCP server the same as `resources`.
   */
  readonly targets: readonly string[]
  /** The issuers of this tenant, by url. */
  readonly issuers: ReadonlyMap<string, Issuer>
  readonly keys: KeySource
  /** Asks at most once for a token within one request, however often door one is passed in it. */
  readonly introspect: Introspect
  /** Absent: a token of an issuer with status lists cannot be judged, and is refused. */
  readonly statuses?: StatusSource
  /** Epoch milliseconds, read after awaits: in Workers time stands still between I/O. */
  readonly now: () => number
}

/**
 * Asks an issuer whether a token still holds (RFC 7662). The members of an active answer come back
 * unjudged: they are read like the claims of a token that this issuer signed.
 */
export type Introspect = (
  token: string,
  issuer: Issuer,
) => Promise<Result<JsonObject, AuthenticationRefusal>>
