// Pure. One MCP message, understood: what is decided, and nothing that the bytes did not say.
import type { ServerRequestMethod } from './methods/server-requests.ts'
import type { Era, MessageId } from './refusal.ts'
import type { JsonObject } from './value.ts'

/** What every operation carries, whatever its method. */
interface OperationBase {
  readonly era: Era
  /** The protocol version that the message claims; null where a legacy message claims none. */
  readonly version: string | null
  /** null for a notification: nobody waits for an answer. */
  readonly id: MessageId | null
  /** What the client will know progress by (basic/utilities/progress); null where it asked for none. */
  readonly progressToken: string | number | null
  /** What this very request says that the client can do; null: a legacy client said so earlier. */
  readonly capabilities: JsonObject | null
}

/** Touches one entry of the catalogue (catalogue.ts): decided by entry, arguments and history. */
export interface Call extends OperationBase {
  readonly kind: 'call'
  readonly method:
    | 'tools/call'
    | 'resources/read'
    | 'resources/subscribe'
    | 'resources/unsubscribe'
    | 'resources/directory/read'
    | 'skills/get'
    | 'prompts/get'
    | 'completion/complete'
  /** Its name in the catalogue. */
  readonly entry: string
  /** `{}` where the message has none. */
  readonly arguments: JsonObject
  /** What the client says to what it was asked for by an earlier answer; null: a first round. */
  readonly resumed: Resumed | null
  /** `completion/complete` only: which of the arguments is completed. */
  readonly completes: string | null
}

/** MCP 2026-07-28, basic/patterns/mrtr. */
export interface Resumed {
  /** As the client was given it; null: it was given none. */
  readonly requestState: string | null
  readonly inputResponses: JsonObject
}

/** Passes door one, revocation and scope; what it lists is filtered by the same policies. */
export interface Listing extends OperationBase {
  readonly kind: 'listing'
  readonly method:
    | 'tools/list'
    | 'prompts/list'
    | 'resources/list'
    | 'resources/templates/list'
    | 'skills/list'
}

/** About a task of the server's that an earlier call began: decided again as that call. */
export interface TaskStep extends OperationBase {
  readonly kind: 'task'
  readonly method: 'tasks/get' | 'tasks/result' | 'tasks/update' | 'tasks/cancel'
  readonly taskId: string
  /** `tasks/update` only: what the client says to what the task asked for. */
  readonly inputResponses: JsonObject | null
}

/** Lists the actor's own tasks at this server, and no other. */
export interface TaskListing extends OperationBase {
  readonly kind: 'task_listing'
  readonly method: 'tasks/list'
}

/** A stream of notices (2026-07-28, basic/patterns/subscriptions): each thing in it is decided. */
export interface Subscription extends OperationBase {
  readonly kind: 'subscription'
  readonly method: 'subscriptions/listen'
  /** Names in the catalogue of the resources. */
  readonly entries: readonly string[]
  readonly taskIds: readonly string[]
  readonly lists: readonly ListKind[]
}

/** Which listing may have changed. */
export type ListKind = 'tools' | 'prompts' | 'resources'

/** Touches nothing that a policy could speak of: passes door one, revocation and scope. */
export interface ProtocolStep extends OperationBase {
  readonly kind: 'protocol'
  readonly method:
    | 'initialize'
    | 'ping'
    | 'logging/setLevel'
    | 'server/discover'
    | 'notifications/initialized'
    | 'notifications/cancelled'
    | 'notifications/progress'
    | 'notifications/roots/list_changed'
}

/**
 * A legacy client's response to what a server asked of it: a send to that server, decided with the
 * result as its arguments. Made by whoever knows which request was passed on to this actor.
 */
export interface ClientAnswer extends OperationBase {
  readonly kind: 'answer'
  /** Of the request that is answered. */
  readonly method: ServerRequestMethod
  readonly entry: string
  readonly arguments: JsonObject
  /** The id of the request, as the client knows it. */
  readonly answers: string
  /** The same message with the id that the server knows. */
  readonly sent: JsonObject
}

/**
 * What a legacy client does with its session (2025-11-25, basic/transports): listen to it, give it
 * back, or say that it is alive. Touches nothing that a policy could speak of.
 */
export interface SessionRequest extends OperationBase {
  readonly kind: 'session'
  readonly method: 'GET' | 'DELETE' | 'pong'
  readonly answers: string | null
  readonly sent: JsonObject | null
}

/** What a client can send by a method of its own. */
export type ClientOperation = Call | Listing | TaskStep | TaskListing | Subscription | ProtocolStep

export type Operation = ClientOperation | ClientAnswer | SessionRequest

/** What a client can call. */
export type Method = ClientOperation['method']
/** What a decision can be about. */
export type Action = Operation['method']
