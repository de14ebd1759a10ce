import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { REFUSAL_KEY } from '../../../src/mcp/own-words.ts'

/** A tool call as bytes on the wire, for what the SDK does not show: status, headers, time. */
export interface WireCall {
  readonly token?: string
  readonly tool?: string
  readonly args?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  /** A socket of its own; otherwise `fetch` takes one that is open. */
  readonly freshConnection?: boolean
}

export interface WireAnswer {
  readonly status: number
  /** The stable code of a refusal, else `allowed`. */
  readonly code: string
  readonly retryable: boolean
  readonly retryAfter: string | null
  readonly challenge: string | null
  readonly ms: number
}

export async function callOnWire(endpoint: URL, call: WireCall): Promise<WireAnswer> {
  const { token, tool = 'echo', args = { text: 'hello' } } = call
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...call.headers,
  }
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: tool, arguments: args },
  })
  const startedAt = performance.now()
  const response =
    call.freshConnection === true
      ? await postOnFreshConnection(endpoint, headers, body)
      : await fetch(endpoint, { method: 'POST', headers, body })
  const refusal = refusalIn(await response.text())
  return {
    status: response.status,
    code: refusal?.code ?? (response.status === 200 ? 'allowed' : 'unexplained'),
    retryable: refusal?.retryable ?? false,
    retryAfter: response.headers.get('retry-after'),
    challenge: response.headers.get('www-authenticate'),
    ms: performance.now() - startedAt,
  }
}

async function postOnFreshConnection(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Response> {
  const asked = request(url, { method: 'POST', headers, agent: false }).end(body)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return new Response(await text(answer), {
    status: answer.statusCode ?? 0,
    headers: answer.headers as Record<string, string>,
  })
}

interface Refusal {
  readonly code: string
  readonly retryable: boolean
}

/** In a result's `_meta` or an error's `data`; an event stream carries results of the server only. */
function refusalIn(body: string): Refusal | undefined {
  if (!body.startsWith('{')) return undefined
  const { result, error } = JSON.parse(body) as {
    result?: { _meta?: Record<string, Refusal> }
    error?: { data?: Record<string, Refusal> }
  }
  return result?._meta?.[REFUSAL_KEY] ?? error?.data?.[REFUSAL_KEY]
}
