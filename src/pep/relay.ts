import type { OutcomeState } from '../durable-objects/session-protocol.ts'
import { filterCapabilities, filterTools } from '../mcp/listing.ts'
import { readJson } from '../mcp/json.ts'
import { stringify } from '../mcp/stringify.ts'
import { readResponse } from '../mcp/response.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import type { Refused } from './decide.ts'
import type { Background } from './doors.ts'
import type { Answer, Sent } from './observe.ts'
import type { Permit } from './permit.ts'
import { undecided, type ResultAnswer } from './result.ts'

/**
 * Records what became of the call, once.
 *
 * INVARIANT: `happened` only where the upstream answered and said that it did what it was asked for.
 * Whatever else ends a call (an error, silence, a client that left) may have acted, so it counts, and
 * is not known to have, so it permits nothing and clears nothing.
 */
export type Settle = (state: OutcomeState, detail: string, happened?: boolean) => void

/** One answer on its way from the upstream to the client. */
export interface Relay {
  readonly permit: Permit
  readonly background: Background
  /** Ends the upstream's side. */
  readonly upstream: AbortController
  readonly settle: Settle
}

/** How much of one message is held while it is read. */
export const MAX_HELD_BYTES = 4 * 1024 * 1024

const MAY_RETURN: ResultAnswer = { refused: null, wouldBe: null, labels: [] }

/** For the operator, in the outcome. */
export const withheldBecause = ({ refusal }: Refused): string =>
  refusal.reason === 'result_withheld' ? `result: ${refusal.because.reason}` : refusal.reason

/** What may become of one message that an upstream sent. */
export type Passage =
  /** As it came, or as it was rewritten. `last`: this was the answer. */
  | {
      readonly kind: 'pass'
      readonly text: string
      readonly last: boolean
      /** For the outcome, if there is something to say. */
      readonly remark?: string
      /** The answer does not say that it came to nothing. */
      readonly happened?: boolean
    }
  | { readonly kind: 'drop' }
  /** The answer is there, and this client may not have it. */
  | { readonly kind: 'withhold'; readonly refused: Refused }

/** Notifications about this very request. All others have no place in its answer. */
const NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/progress',
  'notifications/message',
])

/**
 * Reads one message of an upstream. Everything it sends is a result; what is not handled is not
 * passed on. The error is for the operator.
 */
export async function pass(text: string, relay: Relay): Promise<Result<Passage, string>> {
  const { permit } = relay
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
      const answer = await permit.mayReturn?.(message.outcome === 'result' ? message.result : null)
      const { refused, wouldBe, labels } = answer ?? MAY_RETURN
      const letters = text.length
      const sent: Answer =
        message.outcome === 'result'
          ? { kind: 'result', result: message.result, letters, labels }
          : { kind: 'error', error: message.error, letters }
      if (refused !== null) {
        // Should this be lost, its rows stay without bound.
        relay.background(observe({ kind: 'withheld', answer: sent }, permit))
        return ok({ kind: 'withhold', refused })
      }
      // After the decision about it, not beside it: what is told hangs on what was decided.
      const unobserved = await observe(sent, permit)
      if (unobserved !== null) return ok({ kind: 'withhold', refused: unobserved })
      const rewritten = isJsonObject(parsed.value) ? await rewrite(parsed.value, relay) : null
      const happened =
        message.outcome === 'result' && (message.result['isError'] ?? false) === false
      const passed: Passage = { kind: 'pass', text: rewritten ?? text, last: true, happened }
      return ok(wouldBe === null ? passed : { ...passed, remark: `would be withheld: ${wouldBe}` })
    }
    case 'notification': {
      const passed = notification(message.method, message.params, text, permit)
      if (passed.kind === 'drop' || message.params === null) return ok(passed)
      const sent: Sent = { kind: 'notice', params: message.params, letters: text.length }
      const unobserved = await observe(sent, permit)
      return ok(unobserved === null ? passed : { kind: 'withhold', refused: unobserved })
    }
    case 'request':
      return err(`asked the client for \`${message.method}\``)
    case 'malformed':
      return err('not a JSON-RPC message')
  }
}

/** INVARIANT: what the history could not be told does not reach the client. */
async function observe(sent: Sent, { observe: tell, decision }: Permit): Promise<Refused | null> {
  if (tell === null || (await tell(sent))) return null
  return undecided(decision).refused
}

/**
 * In 2026-07-28 a server asks for sampling, elicitation and roots inside a result
 * (basic/patterns/mrtr): that is a request to the client like any other.
 */
const isComplete = (result: JsonObject): boolean =>
  (result['resultType'] ?? 'complete') === 'complete' &&
  !('inputRequests' in result) &&
  !('requestState' in result)

/** Where a result is decided by what it holds, nothing of it may run ahead of that decision. */
function notification(
  method: string,
  params: JsonObject | null,
  text: string,
  { mayReturn, operation }: Permit,
): Passage {
  if (!NOTIFICATIONS.has(method)) return { kind: 'drop' }
  if (mayReturn === null) return { kind: 'pass', text, last: false }
  if (method !== 'notifications/progress' || params === null) return { kind: 'drop' }
  // The numbers keep the client from giving up; the words may be the result already.
  const { progressToken, progress, total } = params
  // Only what the client said itself, and numbers: anything else could carry words.
  const own = operation.kind === 'tool_call' ? operation.progressToken : null
  if (own === null || progressToken !== own || typeof progress !== 'number') return { kind: 'drop' }
  const bare = {
    jsonrpc: '2.0',
    method,
    params: defined({
      progressToken,
      progress,
      total: typeof total === 'number' ? total : undefined,
    }),
  }
  return { kind: 'pass', text: stringify(bare), last: false }
}

const defined = (members: Readonly<Record<string, JsonValue | undefined>>): JsonObject =>
  Object.fromEntries(
    Object.entries(members).filter(
      (member): member is [string, JsonValue] => member[1] !== undefined,
    ),
  )

/** Listings show what this actor could be allowed; introductions name what is passed on. */
async function rewrite(message: JsonObject, relay: Relay): Promise<string | null> {
  const { operation, showing } = relay.permit
  const result = message['result']
  if (!isJsonObject(result)) return null
  switch (operation.method) {
    case 'tools/list': {
      const { tools } = result
      const { maySee, note } = await showing(Array.isArray(tools) ? tools : [])
      relay.background(note().catch(cannotNote))
      return stringify({ ...message, result: filterTools(result, maySee, operation.era) })
    }
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

/** The listing was shown all the same; whoever needs to know looks for themselves. */
const cannotNote = (error: unknown): void => {
  console.warn('what a listing showed could not be noted', String(error))
}
