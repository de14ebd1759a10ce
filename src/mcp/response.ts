// Pure. One message that an upstream sent: an answer, a request of its own, or a notification.
// As strict as with clients: what two readers could take for different things is malformed.
import { messageId, paramsOf } from './message.ts'
import { isName } from './names.ts'
import type { MessageId } from './refusal.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'

export type UpstreamMessage =
  | {
      readonly kind: 'response'
      readonly outcome: 'result'
      readonly id: MessageId
      readonly result: JsonObject
    }
  | {
      readonly kind: 'response'
      readonly outcome: 'error'
      /** null where the upstream could not read the id of the request (JSON-RPC 2.0 §5). */
      readonly id: MessageId | null
      readonly error: JsonObject
    }
  | {
      readonly kind: 'request'
      readonly id: MessageId
      readonly method: string
      readonly params: JsonObject | null
    }
  | {
      readonly kind: 'notification'
      readonly method: string
      readonly params: JsonObject | null
    }
  | { readonly kind: 'malformed' }

const MALFORMED: UpstreamMessage = { kind: 'malformed' }

/** A shape per kind, by its members in alphabetical order: each has these and no others. */
export function readResponse(message: JsonValue): UpstreamMessage {
  if (!isJsonObject(message) || message['jsonrpc'] !== '2.0') return MALFORMED
  switch (Object.keys(message).toSorted().join(' ')) {
    case 'id jsonrpc result':
      return readResult(message)
    case 'error id jsonrpc':
    case 'error jsonrpc':
      return readError(message)
    case 'id jsonrpc method':
    case 'id jsonrpc method params':
    case 'jsonrpc method':
    case 'jsonrpc method params':
      return readCall(message)
    default:
      return MALFORMED
  }
}

function readResult(message: JsonObject): UpstreamMessage {
  const { result } = message
  const id = messageId(message)
  return id !== null && isJsonObject(result)
    ? { kind: 'response', outcome: 'result', id, result }
    : MALFORMED
}

function readError(message: JsonObject): UpstreamMessage {
  const { error } = message
  const id = messageId(message)
  if (id === null && (message['id'] ?? null) !== null) return MALFORMED
  return isJsonObject(error) &&
    Number.isSafeInteger(error['code']) &&
    typeof error['message'] === 'string'
    ? { kind: 'response', outcome: 'error', id, error }
    : MALFORMED
}

function readCall(message: JsonObject): UpstreamMessage {
  const { method } = message
  const params = paramsOf(message)
  if (!isName(method) || params === undefined) return MALFORMED
  if (!('id' in message)) return { kind: 'notification', method, params }
  const id = messageId(message)
  return id === null ? MALFORMED : { kind: 'request', id, method, params }
}
