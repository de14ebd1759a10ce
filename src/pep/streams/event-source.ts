import { createEventStream, type StreamEvent } from '../../mcp/event-stream.ts'
import { MAX_HELD_BYTES } from '../relay.ts'

/** It did not end too early: it is none. */
export class MalformedStream extends Error {}

/** An upstream's events, whole ones only, read as they are asked for. */
export class EventSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #events = createEventStream()
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #hasEnded = false

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader
  }

  /** Those that the next bytes complete, maybe none; null: there are no more. Throws where it broke. */
  async read(): Promise<readonly StreamEvent[] | null> {
    if (this.#hasEnded) return null
    const { done, value } = await this.#reader.read()
    if (done) {
      this.#hasEnded = true
      const { events } = this.#events.end()
      return events.length === 0 ? null : events
    }
    const events = this.#events.feed(this.#textOf(value))
    if (this.#events.pending > MAX_HELD_BYTES) {
      throw new MalformedStream('an event longer than is held')
    }
    return events
  }

  #textOf(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: true })
    } catch {
      throw new MalformedStream('not UTF-8')
    }
  }
}
