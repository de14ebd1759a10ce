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
import type { ClientOperation } from './operation.ts'
import type { Era, MessageId, MessageRefusal } from './refusal.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'

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
export function understand(
  body: JsonValue,
  headers: MessageHeaders,
): Result<ClientOperation, Refused> {
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
  const missing = missingCapability(operation.value, METHODS[method].needs)
  if (missing !== null) return refuse(missing)
  const given = operation.value.kind === 'call' ? operation.value.arguments : null
  const parameters = checkParameterHeaders(given, headers)
  return parameters === null ? ok(operation.value) : refuse(parameters)
}

/**
 * Whoever uses an extension says so in each request (2026-07-28, basic/index); in the legacy era both
 * sides said so at `initialize`.
 */
function missingCapability(
  { era, capabilities }: ClientOperation,
  needed: JsonObject | null,
): MessageRefusal | null {
  if (era === 'legacy' || needed === null || holds(capabilities ?? {}, needed)) return null
  return { at: 'understand', reason: 'capability_missing', required: needed }
}

const holds = (declared: JsonObject, needed: JsonObject): boolean =>
  Object.entries(needed).every(([name, value]) => {
    const own = declared[name]
    return isJsonObject(own) && (!isJsonObject(value) || holds(own, value))
  })
