// Pure. One MCP request, understood: what is decided, and nothing that the bytes did not say.
import type { Era, MessageId } from './refusal.ts'
import type { JsonObject } from './value.ts'

/** What every operation carries, whatever its method. */
interface OperationBase {
  readonly era: Era
  /** The protocol version that the message claims; null where a legacy message claims none. */
  readonly version: string | null
  /** null for a notification: nobody waits for an answer. */
  readonly id: MessageId | null
}

/** Decided by tool, arguments and history. */
export interface ToolCall extends OperationBase {
  readonly kind: 'tool_call'
  readonly method: 'tools/call'
  readonly tool: string
  /** `{}` where the message has none. */
  readonly arguments: JsonObject
  /** What the client will know progress by (basic/utilities/progress); null where it asked for none. */
  readonly progressToken: string | number | null
}

/** Passes door one, revocation and scope; what it lists is filtered by the same policies. */
export interface Listing extends OperationBase {
  readonly kind: 'listing'
  readonly method: 'tools/list'
}

/** Touches nothing that a policy could speak of: passes door one, revocation and scope. */
export interface ProtocolStep extends OperationBase {
  readonly kind: 'protocol'
  readonly method:
    | 'initialize'
    | 'ping'
    | 'server/discover'
    | 'notifications/initialized'
    | 'notifications/cancelled'
}

export type Operation = ToolCall | Listing | ProtocolStep
export type Method = Operation['method']
