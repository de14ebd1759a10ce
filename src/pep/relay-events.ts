import { createEventStream, type StreamEvent } from '../mcp/event-stream.ts'
import type { MessageId } from '../mcp/refusal.ts'
import type { Refused } from './decide.ts'
import { RPC } from './explanation.ts'
import { refusalMessage } from './refuse.ts'
import { MAX_HELD_BYTES, pass, withheldBecause, type Relay } from './relay.ts'

/**
 * An event stream, event by event: each is complete and read before its bytes go on. Comments pass,
 * so that keep-alives do. The stream ends with the answer, or with an error in its place.
 */
export function relayEvents(response: Response, relay: Relay): Response {
  const source = (response.body ?? new Blob([]).stream()).getReader()
  const pump = new EventPump(source, relay)
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => pump.pull(controller),
      cancel: () => pump.clientLeft(),
    },
    // Nothing is read ahead of the client: backpressure reaches the upstream.
    { highWaterMark: 0 },
  )
  const headers = {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  }
  return new Response(body, { headers })
}

class EventPump {
  readonly #source: ReadableStreamDefaultReader<Uint8Array>
  readonly #relay: Relay
  readonly #events = createEventStream()
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #encoder = new TextEncoder()
  /** The answer, or an error in its place, has gone out, or nobody is there to read it. */
  #ended = false

  constructor(source: ReadableStreamDefaultReader<Uint8Array>, relay: Relay) {
    this.#source = source
    this.#relay = relay
  }

  /** Releases at least one event, or ends the stream. */
  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#source.read()
        if (done) {
          await this.#release(this.#events.end().events, controller)
          return this.#withhold(controller, 'the stream ended before the answer')
        }
        const events = this.#events.feed(this.#decoder.decode(value, { stream: true }))
        if (this.#events.pending > MAX_HELD_BYTES) {
          return this.#withhold(controller, 'an event longer than is held')
        }
        if (await this.#release(events, controller)) return
      }
    } catch {
      // Cut, not UTF-8, or cancelled by us: then it has ended already.
      this.#withhold(controller, 'the stream broke')
    }
  }

  clientLeft(): void {
    this.#ended = true
    this.#relay.upstream.abort()
    this.#relay.settle('committed', 'the client left')
  }

  /** True if the client has something to read, or the stream has ended. */
  async #release(
    events: readonly StreamEvent[],
    controller: ReadableStreamDefaultController<Uint8Array>,
  ): Promise<boolean> {
    let released = false
    for (const event of events) {
      // An event without data, or with empty data, carries no message (MCP 2025-11-25 priming).
      if (event.data === null || event.data === '') {
        this.#write(KEEP_ALIVE, controller)
        released = true
        continue
      }
      // One after the other: the order of a stream is part of what it says.
      // oxlint-disable-next-line no-await-in-loop
      const passage = await pass(event.data, this.#relay)
      if (this.#ended) return true
      if (!passage.ok) {
        this.#withhold(controller, passage.error)
        return true
      }
      if (passage.value.kind === 'drop') continue
      if (passage.value.kind === 'withhold') {
        const { refused } = passage.value
        this.#relay.settle('withheld', withheldBecause(refused))
        this.#write(frame(JSON.stringify(this.#refusal(refused))), controller)
        this.#close(controller)
        return true
      }
      const { text, last, remark, happened } = passage.value
      this.#write(frame(text), controller)
      released = true
      if (last) {
        this.#relay.settle('committed', remark ?? 'streamed', happened)
        this.#close(controller)
        return true
      }
    }
    return released
  }

  #refusal({ refusal, decision }: Refused): unknown {
    const { id, era, kind } = this.#relay.permit.operation
    return refusalMessage(refusal, { id, era, toolCall: kind === 'tool_call', decision })
  }

  /** The client is told in place of the answer; what the upstream did stays done. */
  #withhold(controller: ReadableStreamDefaultController<Uint8Array>, detail: string): void {
    if (this.#ended) return
    this.#relay.settle('withheld', detail)
    console.warn('an answer was withheld', detail)
    const { id } = this.#relay.permit.operation
    this.#write(`event: message\ndata: ${JSON.stringify(errorFor(id))}\n\n`, controller)
    this.#close(controller)
  }

  #write(text: string, controller: ReadableStreamDefaultController<Uint8Array>): void {
    controller.enqueue(this.#encoder.encode(text))
  }

  #close(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#ended = true
    this.#relay.upstream.abort()
    controller.close()
  }
}

/**
 * An event in our own words, its data and nothing else: comments, ids, unknown fields and event names
 * would carry text past the reading, and nothing can be resumed by an id here.
 */
const frame = (data: string): string =>
  `${data
    .split('\n')
    .map((line) => `data: ${line}`)
    .join('\n')}\n\n`

const KEEP_ALIVE = ':\n\n'

const errorFor = (id: MessageId | null) => ({
  jsonrpc: '2.0',
  id,
  error: { code: RPC.upstream, message: 'the MCP server sent what is not passed on' },
})
