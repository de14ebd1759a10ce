// What this server was asked, as it arrived: tests read here what really passed the gateway.

/** One JSON-RPC message, or one HTTP request that carried none (`GET`, `DELETE`). */
export interface RecordedCall {
  http: string
  method: string | null
  tool: string | null
  arguments: unknown
  headers: Record<string, string | boolean>
  /** The caller went away before the answer was complete. */
  cancelled: boolean
}

// A benchmark sends hundreds of thousands of calls; the isolate has 128 MB.
const KEPT_CALLS = 20_000

// Their values are credentials: only their presence is kept.
const CREDENTIAL_HEADERS = ['authorization', 'cookie']

let calls: RecordedCall[] = []
let total = 0

export function recordCalls(request: Request, body: string): RecordedCall[] {
  const headers = describeHeaders(request.headers)
  const recorded = messagesIn(body).map((message) => describeCall(request.method, message, headers))
  total += recorded.length
  calls.push(...recorded)
  // Trimmed in large steps, so that a call costs the same however many came before it.
  if (calls.length > KEPT_CALLS * 2) calls = calls.slice(-KEPT_CALLS)
  return recorded
}

export function recordedCalls(): { total: number; calls: readonly RecordedCall[] } {
  return { total, calls: calls.slice(-KEPT_CALLS) }
}

export function resetCalls(): void {
  calls = []
  total = 0
}

function describeCall(
  http: string,
  message: unknown,
  headers: RecordedCall['headers'],
): RecordedCall {
  const { method, params } = asObject(message)
  const { name, arguments: args } = asObject(params)
  return {
    http,
    method: typeof method === 'string' ? method : null,
    tool: method === 'tools/call' && typeof name === 'string' ? name : null,
    arguments: args ?? null,
    headers,
    cancelled: false,
  }
}

function describeHeaders(headers: Headers): RecordedCall['headers'] {
  const described: RecordedCall['headers'] = {}
  for (const [name, value] of headers) described[name] = value
  for (const name of CREDENTIAL_HEADERS) described[name] = headers.has(name)
  return described
}

/** A legacy batch is recorded message by message: each of them runs. */
function messagesIn(body: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(body)
    return Array.isArray(parsed) ? parsed : [parsed]
  } catch {
    return [null]
  }
}

function asObject(value: unknown): Record<'method' | 'params' | 'name' | 'arguments', unknown> {
  const empty = { method: undefined, params: undefined, name: undefined, arguments: undefined }
  return typeof value === 'object' && value !== null ? { ...empty, ...value } : empty
}
