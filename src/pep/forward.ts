import { stringify } from '../mcp/stringify.ts'
import { err, ok, type Result } from '../result.ts'
import { answer } from './answer.ts'
import type { Refused } from './decide.ts'
import type { Background } from './doors.ts'
import type { Received } from './receive.ts'
import type { ForwardRefusal } from './refusal.ts'
import { isSessionStream, refusedBy, type Relay, type Settle } from './relay.ts'
import type { OpenPermit } from './streams/open.ts'
import { Watch } from './streams/watch.ts'
import { requestHeaders } from './upstream-headers.ts'

/** Until the upstream's headers are there. */
const FIRST_BYTE_MS = 30_000
/** However many progress notices it sends (MCP 2025-11-25, basic/lifecycle, timeouts). */
const WHOLE_ANSWER_MS = 300_000
/** What ends before is not looked at again; a stream is looked at from its beginning. */
const WATCHED_AFTER_MS = 500

/**
 * Sends the decided bytes once, and streams back what may pass.
 *
 * INVARIANT: called at most once per permit; nothing here repeats or hedges a request.
 */
export async function forward(
  received: Received,
  permit: OpenPermit,
  background: Background,
): Promise<Result<Response, Refused>> {
  const relay = openRelay(permit, background)
  if (!isPassedOn(permit)) {
    // Every call of an upstream comes from us, so this id could mean somebody else's call there.
    relay.settle('failed', 'not passed on')
    return ok(new Response(null, { status: 202 }))
  }
  const firstByte = setTimeout(() => relay.upstream.abort(new TimeoutError()), FIRST_BYTE_MS)
  const { era } = permit.operation
  // To leave is to cancel since 2026-07-28, and was not before (basic/transports).
  if (era === 'modern') received.request.signal.addEventListener('abort', () => leave(relay))
  relay.watch.start(isEndless(permit) ? 0 : WATCHED_AFTER_MS)
  let response: Response
  try {
    response = await fetch(permit.upstream, {
      method: received.verb,
      headers: requestHeaders(received.request.headers, permit),
      ...(received.verb === 'POST' ? { body: bodyFor(received, permit) } : {}),
      redirect: 'manual',
      signal: relay.upstream.signal,
    })
  } catch (error) {
    return no(relay, unanswered(error, relay))
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

/** The upstream is told that a call was taken back only in a session, where ids are this client's. */
const isPassedOn = ({ operation, open }: OpenPermit): boolean =>
  operation.method !== 'notifications/cancelled' || open.mcp?.upstream != null

/** Ends when a side ends it, or the token does; everything else has a time to be answered in. */
const isEndless = (permit: OpenPermit): boolean =>
  permit.operation.kind === 'subscription' || isSessionStream({ permit })

const bodyFor = ({ body }: Received, { sent }: OpenPermit): BodyInit =>
  sent === null ? body : stringify(sent)

/** A relay in which nothing has come back yet. */
function openRelay(permit: OpenPermit, background: Background): Relay {
  const upstream = new AbortController()
  const wholeAnswer = isEndless(permit)
    ? null
    : setTimeout(() => upstream.abort(new TimeoutError()), WHOLE_ANSWER_MS)
  let isOver = false
  const over = Promise.withResolvers<null>()
  const end = (): boolean => {
    if (isOver) return false
    isOver = true
    if (wholeAnswer !== null) clearTimeout(wholeAnswer)
    relay.watch.stop()
    over.resolve(null)
    return true
  }
  const settle: Settle = (state, detail, happened = false) => {
    if (end()) background(permit.settle(state, detail, permit.observe === null, !happened))
  }
  const relay: Relay = {
    permit,
    background,
    upstream,
    settle,
    leaveOpen: () => void end(),
    watch: new Watch(permit, (refused) => relay.onRefused(refused)),
    // Until there is an answer to put something else in the place of.
    onRefused: (refused) => upstream.abort(refused),
    handshake: null,
    asked: new Map(),
    declined: 0,
  }
  // A legacy client that leaves has not cancelled, so the call goes on without it.
  if (permit.operation.era === 'legacy' && !isEndless(permit)) background(over.promise)
  return relay
}

function leave(relay: Relay): void {
  relay.upstream.abort()
  relay.settle('committed', 'the client left')
}

/** Bytes may have left before it failed, and what may have acted counts as having acted. */
function unanswered(error: unknown, relay: Relay): ForwardRefusal | Refused {
  const { reason }: { reason: unknown } = relay.upstream.signal
  const refused = refusedBy(reason)
  if (refused !== null) {
    relay.settle('withheld', 'no longer allowed')
    return refused
  }
  const timeout = reason instanceof TimeoutError
  relay.settle('committed', timeout ? 'no answer in time' : 'no answer')
  if (!timeout) console.warn('an upstream could not be reached', String(error))
  return { at: 'forward', reason: timeout ? 'upstream_timeout' : 'upstream_unreachable' }
}

const no = ({ permit }: Relay, refusal: ForwardRefusal | Refused) =>
  err('refusal' in refusal ? refusal : { refusal, decision: permit.decision })
