// Pure. The body and the headers of one POST -> the operation that is decided.
import { err, ok, type Result } from '../result.ts'
import { eraOf, readClaim } from './era.ts'
import {
  checkMethodHeader,
  checkNameHeader,
  checkParameterHeaders,
  type MessageHeaders,
} from './headers.ts'
import { messageId, readMessage } from './message.ts'
import { isMethod, METHODS, nameOf, readOperation } from './methods.ts'
import type { Operation } from './operation.ts'
import type { Era, MessageId, MessageRefusal } from './refusal.ts'
import type { JsonValue } from './value.ts'

/** A refusal with what the form of its error depends on. */
export interface Refused {
  readonly refusal: MessageRefusal
  /** Repeated in the error wherever it was readable (JSON-RPC 2.0 §5.1). */
  readonly id: MessageId | null
  readonly era: Era
}

/**
 * Checks in the order in which SDK v2 servers make them, so that a client learns the same from us:
 * JSON-RPC shape, era and version, envelope, headers, method, params. Mcp-Name comes after the
 * method, which says what it copies.
 *
 * INVARIANT: an operation says nothing that its message does not say to every peer that reads it.
 */
export function understand(body: JsonValue, headers: MessageHeaders): Result<Operation, Refused> {
  const message = readMessage(body)
  const era = eraOf(message.ok ? message.value : null, headers)
  const refuse = (refusal: MessageRefusal) => err({ refusal, id: messageId(body), era })
  if (!message.ok) return refuse(message.error)

  const claim = readClaim(message.value, headers)
  if (!claim.ok) return refuse(claim.error)

  const copied = checkMethodHeader(message.value, era, headers)
  if (copied !== null) return refuse(copied)

  const { method, kind } = message.value
  if (!isMethod(method) || !METHODS[method].eras.includes(era)) {
    return refuse({ at: 'understand', reason: 'method_unknown', method })
  }

  const named = checkNameHeader(message.value, nameOf(method, message.value), era, headers)
  if (named !== null) return refuse(named)

  // Without an id nobody hears the answer, and some servers act all the same.
  if (kind !== METHODS[method].kind) {
    const detail = kind === 'request' ? 'a notification has no `id`' : 'a request needs an `id`'
    return refuse({ at: 'understand', reason: 'malformed_message', detail })
  }

  const operation = readOperation(method, message.value, claim.value)
  if (!operation.ok) return refuse(operation.error)
  const given = operation.value.kind === 'tool_call' ? operation.value.arguments : null
  const parameters = checkParameterHeaders(given, headers)
  return parameters === null ? ok(operation.value) : refuse(parameters)
}
