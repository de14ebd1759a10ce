import type { SessionClaim } from '../../durable-objects/mcp-protocol.ts'
import { isAnswer, readClientAnswer } from '../../mcp/client-answer.ts'
import { readVersionHeader } from '../../mcp/era.ts'
import type { Operation } from '../../mcp/operation.ts'
import type { MessageRefusal } from '../../mcp/refusal.ts'
import { understand } from '../../mcp/understand.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Received } from '../receive.ts'
import type { ReceiveRefusal } from '../refusal.ts'

/** The operation that a request asks for, whatever its HTTP method. */
export function understandRequest(
  received: Received,
): Result<Operation, MessageRefusal | ReceiveRefusal> {
  const { verb, message, headers } = received
  if (verb !== 'POST') return sessionRequest(verb, received)
  if (isAnswer(message)) return readClientAnswer(message, headers)
  const operation = understand(message, headers)
  return operation.ok ? operation : err(operation.error.refusal)
}

/** GET and DELETE belong to sessions, and 2026-07-28 has none (basic/transports/streamable-http). */
function sessionRequest(
  method: 'GET' | 'DELETE',
  { headers }: Received,
): Result<Operation, MessageRefusal | ReceiveRefusal> {
  const version = readVersionHeader(headers)
  if (!version.ok) return version
  if (version.value.era === 'modern') return err({ at: 'receive', reason: 'method_not_allowed' })
  return ok({
    kind: 'session',
    method,
    ...version.value,
    id: null,
    progressToken: null,
    capabilities: null,
    answers: null,
    sent: null,
  })
}

/** What a request says of its legacy session; null: a modern message, whatever headers it has. */
export function sessionClaimOf(operation: Operation, { request }: Received): SessionClaim | null {
  if (operation.era === 'modern') return null
  const { headers } = request
  const { method } = operation
  return {
    use: USES[method] ?? 'send',
    id: headers.get('mcp-session-id'),
    lastEventId: method === 'GET' ? headers.get('last-event-id') : null,
    answers: 'answers' in operation ? operation.answers : null,
  }
}

const USES: Readonly<Partial<Record<Operation['method'], SessionClaim['use']>>> = {
  initialize: 'begin',
  GET: 'listen',
  DELETE: 'end',
}
