import { clientEntry, resourceEntry } from '../../mcp/catalogue.ts'
import { groundOf, type Ground } from '../../mcp/methods/server-notices.ts'
import { stringify } from '../../mcp/stringify.ts'
import type { MessageId } from '../../mcp/refusal.ts'
import type { UpstreamMessage } from '../../mcp/response.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import { ok, type Result } from '../../result.ts'
import type { Refused } from '../decide.ts'
import { isSessionStream, type Passage, type Relay } from '../relay.ts'
import { observed, observedNotice } from './observed.ts'
import { taskNotice } from './task-notices.ts'

type NoticeMessage = Extract<UpstreamMessage, { kind: 'notification' }>

/** What of a notice may go on: its params as they came, or others in their place; null: nothing. */
type Kept = JsonObject | 'as_it_came' | null

/**
 * A notification of a server. On what ground it may pass is for its row to say (server-notices.ts);
 * whatever has no row, or no ground in this stream, is dropped.
 */
export async function passNotice(
  message: NoticeMessage,
  text: string,
  relay: Relay,
): Promise<Result<Passage, string>> {
  const { method, params } = message
  const ground = groundOf(method, relay.permit.operation.era)
  if (ground === null) return ok(DROP)
  if (ground.kind === 'task') return taskNotice(params ?? {}, text, relay)
  const kept = await keptOf(ground, params ?? {}, relay)
  if (kept === null) return ok(DROP)
  const told = kept === 'as_it_came' ? params : kept
  const unobserved = await unobservedOf(ground, told, text.length, relay)
  if (unobserved !== null) return ok({ kind: 'withhold', refused: unobserved })
  const rebuilt = { jsonrpc: '2.0', method, ...(hasMembers(kept) ? { params: kept } : {}) }
  return ok({
    kind: 'pass',
    text: kept === 'as_it_came' ? text : stringify(rebuilt),
    last: false,
  })
}

const DROP: Passage = { kind: 'drop' }

const hasMembers = (kept: JsonObject | string): kept is JsonObject =>
  typeof kept !== 'string' && Object.keys(kept).length > 0

/**
 * What says only that something changed, in words of ours, is nothing that a history could rest on. The
 * name of a resource is told, and brings nothing of what is in it.
 */
async function unobservedOf(
  { kind }: Ground,
  params: JsonObject | null,
  letters: number,
  relay: Relay,
): Promise<Refused | null> {
  if (params === null) return null
  switch (kind) {
    case 'log':
    case 'acknowledged':
    case 'elicitation':
      return observedNotice(params, letters, relay)
    case 'progress':
      return isNumbers(params, relay) ? null : observedNotice(params, letters, relay)
    case 'resource':
      return observed({ kind: 'notice', params, letters }, relay.permit)
    case 'list_changed':
    case 'cancelled':
    case 'task':
      return null
  }
}

/** Besides a token that this client gave itself, or that is a number. */
function isNumbers(params: JsonObject, { permit }: Relay): boolean {
  const bare = bareProgress(params)
  const { progressToken: token } = params
  const isQuiet = typeof token === 'number' || token === permit.operation.progressToken
  return bare !== null && isQuiet && Object.keys(params).length === Object.keys(bare).length
}

async function keptOf(ground: Ground, params: JsonObject, relay: Relay): Promise<Kept> {
  const { operation, mayReturn, open } = relay.permit
  const isSession = isSessionStream(relay)
  const isSubscription = operation.kind === 'subscription'
  // Where a result is decided by what it holds, nothing of it may run ahead of that decision.
  const isBare = isSession ? await open.reach.decidesResults() : mayReturn !== null
  switch (ground.kind) {
    case 'progress': {
      const token = params['progressToken'] ?? null
      // In a call's own stream it is about that call, or about nothing that the client knows.
      if (isSubscription || token === null) return null
      if (!isSession && token !== operation.progressToken) return null
      // A token that this client may not have given is as good as words.
      if (isBare && isSession && typeof token !== 'number') return null
      return isBare ? bareProgress(params) : 'as_it_came'
    }
    case 'log':
      return isBare || isSubscription ? null : 'as_it_came'
    case 'list_changed':
      if (isSession) return {}
      return isSubscription && operation.lists.includes(ground.list)
        ? subscribed(params, operation.id)
        : null
    case 'resource': {
      const { uri } = params
      if (typeof uri !== 'string' || !(isSession || isSubscription)) return null
      const entry = resourceEntry(uri)
      const named = isSubscription ? subscribed(params, operation.id) : {}
      if (named === null || (isSubscription && !operation.entries.includes(entry))) return null
      return (await open.reach.maySee(entry)) ? { uri, ...named } : null
    }
    case 'cancelled':
      return takenBack(params, relay)
    case 'elicitation': {
      const { elicitationId } = params
      const isNamed = typeof elicitationId === 'string' && !isSubscription
      return isNamed && (await open.reach.maySee(clientEntry('elicitation')))
        ? { elicitationId }
        : null
    }
    case 'acknowledged':
      return isSubscription ? 'as_it_came' : null
    case 'task':
      return null
  }
}

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'

/** The client's own id of its subscription, which it gave itself; null: it is about another one. */
function subscribed({ _meta: meta }: JsonObject, own: MessageId | null): JsonObject | null {
  const id = isJsonObject(meta) ? meta[SUBSCRIPTION_ID] : undefined
  if (id === undefined) return {}
  return id === own ? { _meta: { [SUBSCRIPTION_ID]: id } } : null
}

/** The numbers keep the client from giving up; the words may be the result already. */
function bareProgress({ progressToken, progress, total }: JsonObject): JsonObject | null {
  const isToken = typeof progressToken === 'string' || typeof progressToken === 'number'
  if (!isToken || typeof progress !== 'number') return null
  return { progressToken, progress, ...(typeof total === 'number' ? { total } : {}) }
}

/** A request of the server's own, by the id that the client was given for it in this stream. */
function takenBack({ requestId }: JsonObject, relay: Relay): JsonObject | null {
  const { session, decision, open } = relay.permit
  const name = stringify((requestId ?? null) as JsonValue)
  const request = relay.asked.get(name)
  if (request === undefined) return null
  relay.asked.delete(name)
  const place = open.mcp?.place ?? ''
  relay.background(session.noteMcp({ kind: 'unasked', decision, place, request }))
  return { requestId: request }
}
