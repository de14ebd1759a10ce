// One answer of an upstream that Sallyport itself has asked: JSON or an event stream, read strictly
// and with an end. What is not exactly an answer to the question is an error in plain words.
import { createEventStream } from '../mcp/event-stream.ts'
import { readJson } from '../mcp/json.ts'
import type { MessageId } from '../mcp/refusal.ts'
import { readResponse } from '../mcp/response.ts'
import type { JsonObject } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'

/** What a JSON-RPC request came to. An error's own words are not kept: they are the server's. */
export type Answer =
  | { readonly kind: 'result'; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly code: number }

/** How many bytes may still be read, of one message and of all together. */
export interface Allowance {
  readonly message: number
  left: number
}

export async function readAnswer(
  response: Response,
  id: MessageId,
  allowance: Allowance,
): Promise<Result<Answer, string>> {
  const encoding = response.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') return err('the answer is encoded')
  switch (mediaType(response)) {
    case 'application/json':
      return readBody(response, id, allowance)
    case 'text/event-stream':
      return readEvents(response, id, allowance)
    default:
      return err('the answer is neither JSON nor an event stream')
  }
}

async function readBody(
  response: Response,
  id: MessageId,
  allowance: Allowance,
): Promise<Result<Answer, string>> {
  let text = ''
  let bytes = 0
  for await (const piece of pieces(response)) {
    bytes += piece.bytes
    allowance.left -= piece.bytes
    if (bytes > allowance.message || allowance.left < 0) return TOO_LONG
    text += piece.text
  }
  const answer = answerIn(text, id)
  return answer.ok && answer.value === null ? err('the body is not an answer') : settled(answer)
}

async function readEvents(
  response: Response,
  id: MessageId,
  allowance: Allowance,
): Promise<Result<Answer, string>> {
  const events = createEventStream()
  for await (const { text, bytes } of pieces(response)) {
    allowance.left -= bytes
    if (allowance.left < 0) return TOO_LONG
    for (const { data } of events.feed(text)) {
      // Comments and primers carry no message (MCP 2025-11-25, basic/transports).
      if (data === null || data === '') continue
      // A code unit is at least one byte of UTF-8.
      if (data.length > allowance.message) return TOO_LONG
      const answer = answerIn(data, id)
      if (!answer.ok || answer.value !== null) return settled(answer)
    }
    if (events.pending > allowance.message) return TOO_LONG
  }
  return NO_ANSWER
}

/** null: a notification, or a request of the server's own, and nothing here answers those. */
function answerIn(text: string, id: MessageId): Result<Answer | null, string> {
  const value = readJson(text)
  if (!value.ok) return err(`the answer is not strict JSON: ${value.error.detail}`)
  const message = readResponse(value.value)
  if (message.kind === 'malformed') return err('the answer is not JSON-RPC 2.0')
  if (message.kind !== 'response') return ok(null)
  // An error about a request that the server could not read has no id (JSON-RPC 2.0 §5).
  const unread = message.outcome === 'error' && message.id === null
  if (!unread && message.id !== id) return err('the answer is to another request')
  return message.outcome === 'error'
    ? ok({ kind: 'error', code: message.error['code'] as number })
    : ok({ kind: 'result', result: message.result })
}

const settled = (answer: Result<Answer | null, string>): Result<Answer, string> =>
  !answer.ok ? answer : answer.value === null ? NO_ANSWER : ok(answer.value)

const TOO_LONG = err('the answer is longer than is read')
const NO_ANSWER = err('the stream ended before the answer')

/** Throws where the body breaks off or is not UTF-8. */
async function* pieces(response: Response): AsyncGenerator<{ text: string; bytes: number }> {
  if (response.body === null) return
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    yield { text: decoder.decode(value, { stream: true }), bytes: value.byteLength }
  }
  yield { text: decoder.decode(), bytes: 0 }
}

const mediaType = (response: Response): string =>
  (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
