// What a Worker tells a subject's credentials of tasks that run on at a server. Plain data: both may be of
// another age.
import type { Era } from '../../mcp/refusal.ts'
import type { Actor } from '../../pdp/evaluation.ts'
import type { CallContext } from './context.ts'
import type { CREDENTIALS_PROTOCOL } from './credentials-protocol.ts'

/** A call was answered by a task of the server's. */
export interface BegunTask {
  readonly version: typeof CREDENTIALS_PROTOCOL
  readonly decision: string
  /** For whom, and by what it ends. */
  readonly context: CallContext
  /** As the server calls it. */
  readonly taskId: string
  readonly spoken: Spoken
  /** The token that its call carried, by our name for it; null: none that an issuer gave. */
  readonly credential: string | null
  /** For how long the server keeps it, in milliseconds; null: it does not say. */
  readonly ttlMs: number | null
}

/** How its server is spoken to about it. */
export interface Spoken {
  readonly era: Era
  /** What the message claims, or what the handshake agreed on; null: nothing is claimed. */
  readonly version: string | null
  /** The server's own id of the legacy session that it was made in; null: there was none. */
  readonly session: string | null
}

/** The server said itself that it has come to its end. */
export interface OverTask {
  readonly version: typeof CREDENTIALS_PROTOCOL
  readonly actor: Actor
  readonly server: string
  readonly taskId: string
}
