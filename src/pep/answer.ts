import { err, ok, type Result } from '../result.ts'
import type { Refused } from './decide.ts'
import type { ForwardRefusal } from './refusal.ts'
import { relayEvents } from './relay-events.ts'
import { relayJson } from './relay-json.ts'
import type { Relay } from './relay.ts'
import { handshakeOf } from './streams/handshake.ts'
import { EVENT_STREAM } from './upstream-headers.ts'

/**
 * What an upstream's response becomes. Its headers end here: what a client gets of them is written anew
 * (`relay*.ts`), and a status that is the upstream's quarrel with us is not passed on.
 */
export async function answer(response: Response, relay: Relay): Promise<Result<Response, Refused>> {
  const { status } = response
  const { operation, open, session, decision } = relay.permit
  if (status === 401 || status === 403 || status === 407 || (status >= 300 && status < 400)) {
    return reject(relay, { at: 'forward', reason: 'upstream_refused', status })
  }
  const encoding = response.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') {
    return reject(relay, malformed('an encoded body'))
  }
  if (status === 404 && open.mcp?.upstream != null) {
    // The server has forgotten the session: its client is told so, and begins anew.
    const { place } = open.mcp
    relay.background(session.noteMcp({ kind: 'forgotten', decision, place }))
    return reject(relay, { at: 'decide', reason: 'session_unknown' })
  }
  if (status === 400 && open.mcp?.isStranger === true) {
    // It does have sessions, and the one that the client named is none.
    return reject(relay, { at: 'decide', reason: 'session_unknown' })
  }
  if (operation.method === 'DELETE') return deleted(status, relay)
  if (operation.method === 'GET') return stream(response, relay)
  if (operation.id === null) {
    // A notification is accepted or not; whatever body came along answers nothing.
    relay.settle('committed', `status ${status}`, response.ok)
    abandon(relay)
    return ok(new Response(null, { status: noticeStatus(status) }))
  }
  if (operation.method === 'server/discover' && status >= 400 && status < 500) {
    return introduction(response, relay)
  }
  if (operation.method !== 'initialize') return message(response, relay)
  const handshake = handshakeOf(response)
  if (!handshake.ok) return reject(relay, malformed(handshake.error))
  relay.handshake = handshake.value
  return message(response, relay)
}

/**
 * A server of the legacy era declines what it does not know in many forms, with an id of its own or in
 * plain text. A client that speaks both eras has to be told in one that it understands, or it gives up
 * (2026-07-28, basic/versioning).
 */
async function introduction(response: Response, relay: Relay): Promise<Result<Response, Refused>> {
  const passed = await message(response, relay)
  if (passed.ok || passed.error.refusal.reason !== 'upstream_malformed') return passed
  const { method } = relay.permit.operation
  const refusal = { at: 'understand', reason: 'method_unknown', method } as const
  return err({ ...passed.error, refusal })
}

async function message(response: Response, relay: Relay): Promise<Result<Response, Refused>> {
  const { status } = response
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

/** The stream of a session; a server need not offer one (MCP 2025-11-25, basic/transports). */
async function stream(response: Response, relay: Relay): Promise<Result<Response, Refused>> {
  const { status } = response
  if (status === 405) return reject(relay, { at: 'receive', reason: 'method_not_allowed' })
  if (status === 200 && mediaType(response) === EVENT_STREAM) {
    return ok(relayEvents(response, relay))
  }
  return reject(
    relay,
    DECLINED.has(status)
      ? { at: 'forward', reason: 'stream_declined', status }
      : malformed(`no stream, with status ${status}`),
  )
}

/** What a client can make something of: none of them speaks of a credential. */
const DECLINED: ReadonlySet<number> = new Set([400, 406, 409, 429, 503])

/** Here the session has ended, whatever the server makes of it. */
function deleted(status: number, relay: Relay): Result<Response, Refused> {
  if (status === 405) return reject(relay, { at: 'receive', reason: 'method_not_allowed' })
  relay.settle('committed', `status ${status}`, status < 300)
  abandon(relay)
  return ok(new Response(null, { status: status < 300 ? 200 : 502 }))
}

/** Its status alone says whether the server took it; a failure of the server is ours to tell. */
const noticeStatus = (status: number): number => (status < 300 ? 202 : status === 400 ? 400 : 502)

function reject(relay: Relay, refusal: Refused['refusal']): Result<never, Refused> {
  relay.settle('committed', refusal.reason)
  abandon(relay)
  return err({ refusal, decision: relay.permit.decision })
}

/** The rest of a body that nobody reads. */
const abandon = ({ upstream }: Relay): void => upstream.abort()

const malformed = (detail: string): ForwardRefusal => ({
  at: 'forward',
  reason: 'upstream_malformed',
  detail,
})

const mediaType = (response: Response): string =>
  (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
