import { err, ok, type Result } from '../result.ts'
import type { Refused } from './decide.ts'
import type { Background } from './doors.ts'
import type { Permit } from './permit.ts'
import { accepts, type Received } from './receive.ts'
import type { ForwardRefusal } from './refusal.ts'
import { relayEvents } from './relay-events.ts'
import { relayJson } from './relay-json.ts'
import type { Relay, Settle } from './relay.ts'

/** Until the upstream's headers are there. */
const FIRST_BYTE_MS = 30_000
/** However many progress notices it sends (MCP 2025-11-25, basic/lifecycle, timeouts). */
const WHOLE_ANSWER_MS = 300_000

/**
 * What goes to the upstream besides the body. The client's credential, cookies and Origin are not
 * on the list, and neither is anything that names the client's connection.
 */
const REQUEST_HEADERS = ['mcp-protocol-version', 'mcp-method', 'mcp-name'] as const
const PARAMETER_HEADERS = 'mcp-param-'
const EVENT_STREAM = 'text/event-stream'

/**
 * Sends the decided bytes once, and streams back what may pass.
 *
 * INVARIANT: called at most once per permit; nothing here repeats or hedges a request.
 */
export async function forward(
  received: Received,
  permit: Permit,
  background: Background,
): Promise<Result<Response, Refused>> {
  let settled = false
  const settle: Settle = (state, detail, happened = false) => {
    if (settled) return
    settled = true
    const unread = permit.observe === null
    const { session, tenant, decision } = permit
    background(session.settle(tenant, decision, state, detail, unread, !happened))
  }
  if (permit.operation.method === 'notifications/cancelled') {
    // Every call of an upstream comes from us, so this id could mean somebody else's call there.
    settle('failed', 'not passed on')
    return ok(new Response(null, { status: 202 }))
  }
  const upstream = new AbortController()
  const firstByte = setTimeout(() => upstream.abort(new TimeoutError()), FIRST_BYTE_MS)
  const wholeAnswer = setTimeout(() => upstream.abort(new TimeoutError()), WHOLE_ANSWER_MS)
  const relay: Relay = {
    permit,
    background,
    upstream,
    settle: (state, detail, happened) => {
      clearTimeout(wholeAnswer)
      settle(state, detail, happened)
    },
  }
  let response: Response
  try {
    response = await fetch(permit.upstream, {
      method: 'POST',
      headers: requestHeaders(received.request.headers, permit.credential),
      body: received.body,
      redirect: 'manual',
      signal: upstream.signal,
    })
  } catch (error) {
    // Bytes may have left before it failed, and what may have acted counts as having acted.
    const timeout = upstream.signal.reason instanceof TimeoutError
    relay.settle('committed', timeout ? 'no answer in time' : 'no answer')
    if (!timeout) console.warn('an upstream could not be reached', String(error))
    return no(relay, {
      at: 'forward',
      reason: timeout ? 'upstream_timeout' : 'upstream_unreachable',
    })
  } finally {
    clearTimeout(firstByte)
  }
  try {
    return await answer(response, relay)
  } catch (fault) {
    // It was sent, and nobody gets to see what came of it.
    relay.settle('withheld', 'a fault of ours')
    throw fault
  }
}

class TimeoutError extends Error {}

function requestHeaders(inbound: Headers, credential: Permit['credential']): Headers {
  const headers = new Headers({
    'content-type': 'application/json',
    // A client that takes no streams must not be sent one.
    accept: accepts(inbound.get('accept'), EVENT_STREAM)
      ? `application/json, ${EVENT_STREAM}`
      : 'application/json',
    // What is compressed cannot be read on the way through.
    'accept-encoding': 'identity',
  })
  for (const [name, value] of inbound) {
    if (name.startsWith(PARAMETER_HEADERS)) headers.set(name, value)
  }
  for (const name of REQUEST_HEADERS) {
    const value = inbound.get(name)
    if (value !== null) headers.set(name, value)
  }
  for (const [name, value] of Object.entries(credential)) headers.set(name, value)
  return headers
}

async function answer(response: Response, relay: Relay): Promise<Result<Response, Refused>> {
  const { status } = response
  if (status === 401 || status === 403 || status === 407 || (status >= 300 && status < 400)) {
    return reject(relay, { at: 'forward', reason: 'upstream_refused', status })
  }
  const encoding = response.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') {
    return reject(relay, malformed('an encoded body'))
  }
  if (relay.permit.operation.id === null) {
    // A notification is accepted or not; whatever body came along answers nothing.
    relay.settle('committed', `status ${status}`, response.ok)
    abandon(relay)
    return ok(new Response(null, { status: status < 300 ? 202 : 502 }))
  }
  switch (mediaType(response)) {
    case 'application/json':
      return relayJson(response, relay)
    case EVENT_STREAM:
      return status === 200
        ? ok(relayEvents(response, relay))
        : reject(relay, malformed(`a stream with status ${status}`))
    default:
      return reject(relay, malformed('neither JSON nor an event stream'))
  }
}

function reject(relay: Relay, refusal: ForwardRefusal): Result<never, Refused> {
  relay.settle('committed', refusal.reason)
  abandon(relay)
  return no(relay, refusal)
}

const no = ({ permit }: Relay, refusal: ForwardRefusal) =>
  err({ refusal, decision: permit.decision } as const)

/** The rest of a body that nobody reads. */
const abandon = ({ upstream }: Relay): void => upstream.abort()

const malformed = (detail: string): ForwardRefusal => ({
  at: 'forward',
  reason: 'upstream_malformed',
  detail,
})

const mediaType = (response: Response): string =>
  (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
