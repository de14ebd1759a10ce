// Tells a server that a task of its ends: in the era and the session that it was made in.
import type { JsonObject } from '../mcp/value.ts'
import { META, TASKS_EXTENSION } from '../mcp/versions.ts'
import { inTime, LATE } from '../in-time.ts'
import { readAnswer, type Answer } from './answer.ts'
import { Connection } from './connection.ts'
import type { Spoken } from './credentials/running-tasks-protocol.ts'

/** From the first byte to the last one of the answer. */
export const CANCEL_BUDGET_MS = 5_000
/** Of that, for giving back a session. */
const FAREWELL_MS = 500
const MAX_BYTES = 256 * 1024

export interface Cancellation {
  readonly endpoint: URL
  readonly taskId: string
  readonly spoken: Spoken
  /** What each message carries. */
  readonly headersFor: (message: JsonObject) => Promise<Readonly<Record<string, string>>>
  readonly fetch: typeof fetch
}

/** `detail`: for the operator, a fixed text. */
export type Cancelled =
  | { readonly kind: 'cancelled'; readonly status: number | null }
  /** Nothing of that name runs there. */
  | { readonly kind: 'over'; readonly status: number | null }
  /** And asking again would change nothing. */
  | { readonly kind: 'lapsed'; readonly status: number | null; readonly detail: string }
  | {
      readonly kind: 'failed'
      readonly status: number | null
      readonly detail: string
      /** How long the server asks to be left alone; null: it does not say. */
      readonly retryAfterMs: number | null
    }

export async function cancelTask(cancellation: Cancellation): Promise<Cancelled> {
  const abort = new AbortController()
  try {
    const told = await inTime(tell(cancellation, abort.signal), CANCEL_BUDGET_MS, LATE)
    return told === LATE ? failed('no answer in time') : told
  } catch {
    return failed('the connection failed')
  } finally {
    abort.abort()
  }
}

async function tell(cancellation: Cancellation, signal: AbortSignal): Promise<Cancelled> {
  const { endpoint, spoken, fetch: send } = cancellation
  const id = crypto.randomUUID()
  const message = messageOf(cancellation, id)
  const response = await send(endpoint, {
    method: 'POST',
    headers: headersOf(cancellation, await cancellation.headersFor(message)),
    body: JSON.stringify(message),
    redirect: 'manual',
    signal,
  })
  if (response.status !== 404 || spoken.session === null) return outcomeOf(response, id)
  // The session is not there any more, and its tasks may be (MCP 2025-11-25, basic/transports).
  await response.body?.cancel()
  return tellAnew(cancellation, signal)
}

/** JSON-RPC 2.0 §5.1; both eras say by the first that a task is unknown, or at its end. */
const INVALID_PARAMS = -32602
const UNKNOWN_METHOD = -32601

/**
 * INVARIANT: its id is nobody else's. It goes in the client's own session, where a server may send the answer
 * to a request to whoever used its id last.
 */
const messageOf = ({ taskId, spoken: { era, version } }: Cancellation, id: string): JsonObject => ({
  jsonrpc: '2.0',
  id,
  method: 'tasks/cancel',
  params: {
    taskId,
    ...(era === 'legacy'
      ? {}
      : {
          _meta: {
            [META.protocolVersion]: version,
            [META.clientCapabilities]: { extensions: { [TASKS_EXTENSION]: {} } },
          },
        }),
  },
})

function headersOf(
  { taskId, spoken: { era, version, session } }: Cancellation,
  carried: Readonly<Record<string, string>>,
): Headers {
  const headers = new Headers({
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'accept-encoding': 'identity',
  })
  if (version !== null) headers.set('mcp-protocol-version', version)
  if (session !== null) headers.set('mcp-session-id', session)
  if (era === 'modern') {
    headers.set('mcp-method', 'tasks/cancel')
    headers.set('mcp-name', headerValue(taskId))
  }
  for (const [name, value] of Object.entries(carried)) headers.set(name, value)
  return headers
}

/** What plain ASCII cannot carry is encoded (MCP 2026-07-28, basic/transports/streamable-http). */
function headerValue(text: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?')) return text
  const bytes = new TextEncoder().encode(text)
  return `=?base64?${btoa(String.fromCharCode(...bytes))}?=`
}

async function outcomeOf(response: Response, id: string): Promise<Cancelled> {
  const { status } = response
  // Here no word counts: who answers may stand in front of the server, or does not know us.
  if (status >= 500 || (status >= 300 && status < 400) || TURNED_AWAY.has(status)) {
    await response.body?.cancel()
    return failed(`the answer was status ${status}`, status, retryAfter(response))
  }
  const answer = await readAnswer(response, id, { message: MAX_BYTES, left: MAX_BYTES })
  if (!answer.ok) return failed(`the answer was status ${status}`, status)
  return said(answer.value, status)
}

const TURNED_AWAY: ReadonlySet<number> = new Set([401, 403, 407, 429])

/** Whatever else it says: so it was not cancelled (2025-11-25, basic/utilities/tasks). */
const GOES_ON: ReadonlySet<unknown> = new Set(['working', 'input_required'])

function said(answer: Answer, status: number | null): Cancelled {
  if (answer.kind === 'result') {
    if (GOES_ON.has(answer.result['status'])) return failed('it says that the task goes on', status)
    return status === null || status === 200
      ? { kind: 'cancelled', status }
      : failed(`a result with status ${status}`, status)
  }
  switch (answer.code) {
    case INVALID_PARAMS:
      return { kind: 'over', status }
    case UNKNOWN_METHOD:
      return { kind: 'lapsed', status, detail: 'its server cancels no tasks' }
    default:
      return failed(`the answer was error ${answer.code}`, status)
  }
}

/** With a handshake of our own, and a farewell. */
async function tellAnew(
  { endpoint, taskId, headersFor, fetch: send }: Cancellation,
  signal: AbortSignal,
): Promise<Cancelled> {
  const connection = new Connection({
    endpoint,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers)
      const carried = await headersFor(messageIn(init))
      for (const [name, value] of Object.entries(carried)) headers.set(name, value)
      return send(input, { ...init, headers })
    },
    headers: {},
    signal,
    allowance: { message: MAX_BYTES, left: MAX_BYTES },
  })
  const opened = await connection.open('legacy')
  const reply = opened.ok ? await connection.request('tasks/cancel', { taskId }) : opened
  // Whether it is heard says nothing of what was asked.
  await inTime(connection.close(signal), FAREWELL_MS, LATE)
  if (!opened.ok) return failed('the server has forgotten the session, and begins no other')
  if (!reply.ok) return failed('the server has forgotten the session')
  return reply.value.kind === 'declined'
    ? failed(`the answer was status ${reply.value.status}`, reply.value.status)
    : said(reply.value, null)
}

/** Written by ourselves a moment ago. What has no body is known by its HTTP method alone. */
const messageIn = ({ method = 'GET', body }: RequestInit = {}): JsonObject =>
  typeof body === 'string' ? (JSON.parse(body) as JsonObject) : { method }

const failed = (
  detail: string,
  status: number | null = null,
  retryAfterMs: number | null = null,
): Cancelled => ({ kind: 'failed', status, detail, retryAfterMs })

/** In seconds (RFC 9110 §10.2.3); a date is left to our own clock. */
function retryAfter({ headers }: Response): number | null {
  const text = headers.get('retry-after') ?? ''
  return /^\d{1,5}$/.test(text) ? Number(text) * 1000 : null
}
