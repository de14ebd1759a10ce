import { askedIdOf, isAsked, type AskedMethod } from '../../mcp/asked-id.ts'
import { SERVER_REQUESTS } from '../../mcp/methods/server-requests.ts'
import type { MessageId } from '../../mcp/refusal.ts'
import type { UpstreamMessage } from '../../mcp/response.ts'
import { stringify } from '../../mcp/stringify.ts'
import type { JsonObject } from '../../mcp/value.ts'
import { ok, err, type Result } from '../../result.ts'
import type { Passage, Relay } from '../relay.ts'
import { observedNotice } from './observed.ts'
import { tellUpstream } from './tell-upstream.ts'

type RequestMessage = Extract<UpstreamMessage, { kind: 'request' }>

/** A server that goes on asking what it may not is not answered for ever. */
const MOST_DECLINED = 16

const DROP: Passage = { kind: 'drop' }

/**
 * What a server asks of the client in a stream of the legacy era: passed on if this client said that it
 * can do it and this actor could be allowed to answer. Else it is answered by us, and the client never
 * learns of it. 2026-07-28 has no such requests (basic/transports/streamable-http).
 *
 * INVARIANT: what is passed on is known to the session before, so that an answer to anything else is
 * refused.
 */
export async function passRequest(
  message: RequestMessage,
  text: string,
  relay: Relay,
): Promise<Result<Passage, string>> {
  const { permit } = relay
  const { open, session, decision } = permit
  const { method, id, params } = message
  if (permit.operation.era === 'modern') return err(`asked the client for \`${method}\``)
  const place = open.mcp?.place ?? ''
  const request = isAsked(method) ? askedIdOf(method, id) : null
  const mayAsk = place !== '' && request !== null && isAsked(method)
  if (!mayAsk || !(await isAllowed(method, params, relay))) return decline(id, relay)
  const unobserved = await observedNotice(params, text.length, relay)
  if (unobserved !== null) return ok({ kind: 'withhold', refused: unobserved })
  // Whether the client is there is no matter of a task.
  const task = method === 'ping' ? null : permit.task
  const kept = await session.noteMcp({ kind: 'asked', decision, place, request, task })
  if (kept === null) return decline(id, relay)
  relay.asked.set(stringify(id), request)
  const passed = { jsonrpc: '2.0', id: request, method, ...(params === null ? {} : { params }) }
  return ok({ kind: 'pass', text: stringify(passed), last: false })
}

async function isAllowed(
  method: AskedMethod,
  params: JsonObject | null,
  { permit }: Relay,
): Promise<boolean> {
  if (method === 'ping') return params === null || Object.keys(params).length === 0
  const { capabilities, reach } = permit.open
  const { entry, declared } = SERVER_REQUESTS[method]
  if (!declared(capabilities, params ?? {})) return false
  // Where results are decided by what they hold, no words of the server may run ahead of that.
  const decided =
    permit.operation.kind === 'session' ? await reach.decidesResults() : permit.mayReturn !== null
  return !decided && (await reach.maySee(entry))
}

/** That a person must go somewhere first (MCP 2025-11-25, client/elicitation). */
const URL_ELICITATION_REQUIRED = -32042

/**
 * An error that asks the client to open a url is a question as well, whatever it answers. 2026-07-28 has
 * no such errors: there it could only be asked inside of a result.
 */
export async function mayBeError({ code }: JsonObject, relay: Relay): Promise<boolean> {
  if (code !== URL_ELICITATION_REQUIRED) return true
  const { era } = relay.permit.operation
  return era === 'legacy' && isAllowed('elicitation/create', { mode: 'url' }, relay)
}

function decline(id: MessageId, relay: Relay): Result<Passage, string> {
  const { permit } = relay
  const { open } = permit
  relay.declined += 1
  if (relay.declined > MOST_DECLINED) return ok(DROP)
  const error = { code: -32601, message: 'the client does not offer this' }
  relay.background(
    tellUpstream(permit, {
      method: 'POST',
      upstream: open.mcp?.upstream ?? null,
      version: open.mcp?.version ?? null,
      message: { jsonrpc: '2.0', id, error },
    }),
  )
  return ok(DROP)
}
