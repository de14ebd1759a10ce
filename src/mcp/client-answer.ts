// Pure. A legacy client's response to what a server asked of it (MCP 2025-11-25, basic/transports).
import { err, ok, type Result } from '../result.ts'
import { readAskedId } from './asked-id.ts'
import { readVersionHeader } from './era.ts'
import type { MessageHeaders } from './headers.ts'
import { SERVER_REQUESTS } from './methods/server-requests.ts'
import type { ClientAnswer, SessionRequest } from './operation.ts'
import type { MessageRefusal } from './refusal.ts'
import { readResponse } from './response.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './value.ts'

/** A first look: whether a message answers instead of asking. */
export const isAnswer = (body: JsonValue): body is JsonObject =>
  isJsonObject(body) && !('method' in body) && ('result' in body || 'error' in body)

/**
 * The send that a response is. Whatever the client tells the server, as a result or as an error, is its
 * arguments.
 */
export function readClientAnswer(
  body: JsonObject,
  headers: MessageHeaders,
): Result<ClientAnswer | SessionRequest, MessageRefusal> {
  const version = readVersionHeader(headers)
  if (!version.ok) return version
  const message = readResponse(body)
  if (message.kind !== 'response' || message.id === null) return UNEXPECTED
  const asked = readAskedId(message.id)
  if (version.value.era === 'modern' || asked === null) return UNEXPECTED
  const base = {
    ...version.value,
    id: null,
    progressToken: null,
    capabilities: null,
    answers: String(message.id),
  }
  const said = message.outcome === 'result' ? message.result : { error: message.error }
  const sent = { ...body, id: asked.id }
  if (asked.method === 'ping') {
    // An answer that says anything would be a send that nobody decides.
    return Object.keys(said).length === 0
      ? ok({ kind: 'session', method: 'pong', ...base, sent })
      : UNEXPECTED
  }
  const { entry } = SERVER_REQUESTS[asked.method]
  return ok({ kind: 'answer', method: asked.method, entry, arguments: said, ...base, sent })
}

const UNEXPECTED = err({ at: 'understand', reason: 'response_unexpected' } as const)
