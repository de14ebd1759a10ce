// Pure. JSON-RPC 2.0: one message of strict shape (§4, §4.1).
import { err, ok, type Result } from '../result.ts'
import { isName } from './names.ts'
import { quote } from './quote.ts'
import type { MessageId, MessageRefusal } from './refusal.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'

export type Message = RequestMessage | NotificationMessage

export interface RequestMessage extends MessageBase {
  readonly kind: 'request'
  readonly id: MessageId
}

export interface NotificationMessage extends MessageBase {
  readonly kind: 'notification'
  readonly id: null
}

interface MessageBase {
  readonly method: string
  /** null where the message has none. */
  readonly params: JsonObject | null
}

const MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params'])

/** Ids are echoed and recorded, so they have an end. */
const MAX_ID_LENGTH = 256

export function readMessage(body: JsonValue): Result<Message, MessageRefusal> {
  if (Array.isArray(body)) return err({ at: 'understand', reason: 'batch' })
  if (!isJsonObject(body)) return malformed('not an object')
  if (body['jsonrpc'] !== '2.0') return malformed('`jsonrpc` must be `2.0`')
  if (!('method' in body) && ('result' in body || 'error' in body)) {
    return err({ at: 'understand', reason: 'response_unexpected' })
  }
  // A member that JSON-RPC does not name could mean something to one reader and nothing to another.
  const unknown = Object.keys(body).find((name) => !MEMBERS.has(name))
  if (unknown !== undefined) return malformed(`unknown member ${quote(unknown)}`)

  const { method } = body
  const params = paramsOf(body)
  if (!isName(method)) return malformed('`method` must be a short text without control characters')
  if (params === undefined) return malformed('`params` must be an object')
  if (!('id' in body)) return ok({ kind: 'notification', id: null, method, params })
  const id = messageId(body)
  // MCP forbids the null that JSON-RPC allows (2025-03-26, basic).
  if (id === null) return malformed('`id` must be a short text or an integer')
  return ok({ kind: 'request', id, method, params })
}

/** null where absent; undefined where present and no object: MCP has no positional params. */
export function paramsOf(body: JsonObject): JsonObject | null | undefined {
  const { params } = body
  if (params === undefined) return null
  return isJsonObject(params) ? params : undefined
}

/** The id of anything that has a readable one, well-formed or not. */
export function messageId(body: JsonValue): MessageId | null {
  const id = isJsonObject(body) ? body['id'] : undefined
  if (typeof id === 'string') return id.length <= MAX_ID_LENGTH ? id : null
  return typeof id === 'number' && Number.isSafeInteger(id) ? id : null
}

const malformed = (detail: string) =>
  err({ at: 'understand', reason: 'malformed_message', detail } as const)
