import type { SESSION_PROTOCOL } from './session-protocol.ts'

/** What Worker and session say of legacy MCP sessions (MCP 2025-11-25, basic/transports). */

/** What a request says of the MCP session that it belongs to. */
export interface SessionClaim {
  /** begin: a handshake. send: a message in it. listen: to its stream. end: the client gives it back. */
  readonly use: 'begin' | 'send' | 'listen' | 'end'
  /** As the client sent it; null: it sent none. */
  readonly id: string | null
  /** Where a stream is to go on, as the client sent it. */
  readonly lastEventId: string | null
  /** The request of the server's that this message answers, by the id that the client knows it by. */
  readonly answers: string | null
}

/** What is known of the MCP session of an admitted request. */
export interface McpSession {
  /** What its streams and its server's requests are kept under; for no client to see. */
  readonly place: string
  /** The server's own id of it; null: the server has given none. */
  readonly upstream: string | null
  /** The client sent an id that was never one of ours, to a server that is not known to have sessions. */
  readonly isStranger: boolean
  /** What the handshake agreed on; null: nobody saw one. */
  readonly version: string | null
  /** What the client said in it that it can do, as JSON. */
  readonly capabilities: string
  /** Event ids of this one stream are made with this, so that no other one goes on after them. */
  readonly eventKey: string
  /** The server's own id of the event that a stream goes on after; null: it begins anew. */
  readonly after: string | null
  /** The call whose stream goes on; null: it begins anew, or was that of the session. */
  readonly resumed: SuspendedCall | null
}

/** A call that was sent and whose answer has not come: it may come in another stream. */
export interface SuspendedCall {
  readonly decision: string
  /** The message as it was admitted. */
  readonly body: string
  /** The task that it was admitted under; null: none. */
  readonly task: string | null
}

interface Note {
  readonly version: typeof SESSION_PROTOCOL
  readonly decision: string
}

export type McpNote =
  /** A handshake came to something: `id` is what the client will call its session, if it has one. */
  | (Note & {
      readonly kind: 'opened'
      readonly id: string | null
      readonly upstream: string | null
      readonly protocol: string | null
      readonly capabilities: string
      readonly actorKey: string
      readonly server: string
    })
  /** A server asks the client for something, and it will be passed on. */
  | (Note & {
      readonly kind: 'asked'
      readonly place: string
      readonly request: string
      /** The task of the call in which it asks; null: of none. */
      readonly task: string | null
    })
  /** Takes it back. */
  | (Note & { readonly kind: 'unasked'; readonly place: string; readonly request: string })
  | (Note & {
      readonly kind: 'suspended'
      readonly place: string
      readonly body: string
      readonly task: string | null
    })
  | (Note & { readonly kind: 'answered'; readonly place: string })
  /** The server does not know it any more. */
  | (Note & { readonly kind: 'forgotten'; readonly place: string })

export interface McpNoteAnswer {
  /** What is not stored must not be passed on. */
  readonly stored: boolean
  /** Sessions of the same server that had to go, by the server's ids of them. */
  readonly gone: readonly string[]
}
