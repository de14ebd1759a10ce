import type { Issuer } from './issuer.ts'
import type { KeySource } from './keys.ts'

/** All that a token is judged against. Nothing here comes from the caller. */
export interface AuthenticationContext {
  /** The tenant of the server that is called. */
  readonly tenant: string
  /** Accepted audiences: this server's resource id under each public origin. */
  readonly resources: readonly string[]
  /** The issuers of this tenant, by url. */
  readonly issuers: ReadonlyMap<string, Issuer>
  readonly keys: KeySource
  /** Epoch milliseconds, read after awaits: in Workers time stands still between I/O. */
  readonly now: () => number
}
