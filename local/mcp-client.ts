/** One tool call over Streamable HTTP, as plain as `fetch` makes it. Real clients are for the tests. */
export interface ToolCall {
  readonly endpoint: string
  readonly token: string
  readonly tool: string
  readonly args?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

export interface Outcome {
  readonly decision: 'allow' | 'deny' | 'error'
  /** The stable code of a refusal, else what went wrong; empty for an allowed call. */
  readonly reason: string
  /** The id under which a refusal is in the decision log. */
  readonly decisionId: string | null
  readonly status: number
  readonly text: string
}

/** Known to every client in use today, and needs no handshake with a server that keeps no session. */
const PROTOCOL_VERSION = '2025-11-25'
const REFUSAL_KEY = 'sallyport/refusal'

export async function callTool(call: ToolCall): Promise<Outcome> {
  const response = await fetch(call.endpoint, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${call.token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': PROTOCOL_VERSION,
      ...call.headers,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: call.tool, arguments: call.args ?? {} },
    }),
  })
  const body = await response.text()
  return outcomeOf(response, lastMessage(body), body)
}

interface Refusal {
  readonly code: string
  readonly decision?: string | null
}

interface Message {
  readonly result?: {
    readonly content?: readonly { readonly text?: string }[]
    readonly _meta?: { readonly [REFUSAL_KEY]?: Refusal }
  }
  readonly error?: {
    readonly message: string
    readonly data?: { readonly [REFUSAL_KEY]?: Refusal }
  }
}

/** A denial is a tool result, so that the model reads it; every other refusal is an error. */
function outcomeOf(response: Response, message: Message | null, body: string): Outcome {
  const { status } = response
  const text = message?.result?.content?.[0]?.text ?? message?.error?.message ?? body
  const refusal =
    message?.result?._meta?.[REFUSAL_KEY] ?? message?.error?.data?.[REFUSAL_KEY] ?? null
  if (refusal !== null) {
    const decision = status >= 500 ? 'error' : 'deny'
    return { decision, reason: refusal.code, decisionId: refusal.decision ?? null, status, text }
  }
  const base = { decisionId: null, status, text }
  if (status === 401 || status === 403) {
    return { ...base, decision: 'deny', reason: response.headers.get('www-authenticate') ?? text }
  }
  if (status === 200 && message?.result !== undefined) {
    return { ...base, decision: 'allow', reason: '' }
  }
  return { ...base, decision: 'error', reason: `HTTP ${status}: ${text}` }
}

/** A JSON body, or the last event of a stream: progress comes before the answer. */
function lastMessage(body: string): Message | null {
  const events = body.split(/\r?\n/).filter((line) => line.startsWith('data:'))
  const json = events.at(-1)?.slice('data:'.length) ?? body
  try {
    return JSON.parse(json) as Message
  } catch {
    return null
  }
}
