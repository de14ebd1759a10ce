import type { OutcomeState } from '../durable-objects/session-protocol.ts'
import { filterCapabilities, filterTools } from '../mcp/listing.ts'
import { readJson } from '../mcp/json.ts'
import { stringify } from '../mcp/stringify.ts'
import { readResponse } from '../mcp/response.ts'
import { isJsonObject, type JsonObject } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import type { Permit } from './decide.ts'

/** Records what became of the call, once. */
export type Settle = (state: OutcomeState, detail: string) => void

/** One answer on its way from the upstream to the client. */
export interface Relay {
  readonly permit: Permit
  /** Ends the upstream's side. */
  readonly upstream: AbortController
  readonly settle: Settle
}

/** How much of one message is held while it is read. */
export const MAX_HELD_BYTES = 4 * 1024 * 1024

/** What may become of one message that an upstream sent. */
export type Passage =
  /** As it came, or as it was rewritten. `last`: this was the answer. */
  | { readonly kind: 'pass'; readonly text: string; readonly last: boolean }
  | { readonly kind: 'drop' }

/** Notifications about this very request. All others have no place in its answer. */
const NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/progress',
  'notifications/message',
])

/**
 * Reads one message of an upstream. Everything it sends is a result; what is not handled is not
 * passed on. The error is for the operator.
 */
export function pass(text: string, permit: Permit): Result<Passage, string> {
  const parsed = readJson(text)
  if (!parsed.ok) return err(`not strict JSON: ${parsed.error.detail}`)
  const message = readResponse(parsed.value)
  switch (message.kind) {
    case 'response': {
      // An error about a request that the upstream could not read has no id (JSON-RPC 2.0 §5).
      const unread = message.outcome === 'error' && message.id === null
      if (!unread && message.id !== permit.operation.id) return err('an answer to another request')
      if (message.outcome === 'result' && !isComplete(message.result)) {
        return err('a result that asks the client for more')
      }
      const rewritten = isJsonObject(parsed.value) ? rewrite(parsed.value, permit) : null
      return ok({ kind: 'pass', text: rewritten ?? text, last: true })
    }
    case 'notification':
      return ok(
        NOTIFICATIONS.has(message.method) ? { kind: 'pass', text, last: false } : { kind: 'drop' },
      )
    case 'request':
      return err(`asked the client for \`${message.method}\``)
    case 'malformed':
      return err('not a JSON-RPC message')
  }
}

/**
 * In 2026-07-28 a server asks for sampling, elicitation and roots inside a result
 * (basic/patterns/mrtr): that is a request to the client like any other.
 */
const isComplete = (result: JsonObject): boolean =>
  (result['resultType'] ?? 'complete') === 'complete' &&
  !('inputRequests' in result) &&
  !('requestState' in result)

/** Listings show what this actor could be allowed; introductions name what is passed on. */
function rewrite(message: JsonObject, { operation, maySee }: Permit): string | null {
  const result = message['result']
  if (!isJsonObject(result)) return null
  switch (operation.method) {
    case 'tools/list':
      return stringify({ ...message, result: filterTools(result, maySee, operation.era) })
    case 'initialize':
    case 'server/discover':
      return stringify({ ...message, result: filterCapabilities(result, operation.era) })
    case 'tools/call':
    case 'ping':
    case 'notifications/initialized':
    case 'notifications/cancelled':
      return null
  }
}
