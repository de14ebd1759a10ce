// Pure. Server-Sent Events, split as they arrive (WHATWG HTML §9.2.6, "Interpreting an event
// stream"). Each event keeps its exact text, so that what was read is what is passed on.

export interface StreamEvent {
  /** Exactly as it arrived, with the blank line that ends it. */
  readonly raw: string
  /** null where the event has no data field: a comment, or only an id or a retry time. */
  readonly data: string | null
  readonly event: string | null
  readonly id: string | null
  readonly retry: number | null
}

export interface EventStream {
  /** The events that this piece of text completes. */
  feed(chunk: string): readonly StreamEvent[]
  /** How many code units are held of an event that is not complete. */
  readonly pending: number
  /** No more text will come. What is left is no event, and a client would discard it. */
  end(): StreamEnd
}

export interface StreamEnd {
  readonly events: readonly StreamEvent[]
  readonly leftover: string
}

export const createEventStream = (): EventStream => new Splitter()

const LF = 0x0a
const CR = 0x0d
const BOM = '\ufeff'

/**
 * INVARIANT: the raw texts in order, and then the leftover, are the text that was fed, and how it
 * was cut into chunks changes nothing.
 */
class Splitter implements EventStream {
  /** Appended to and read once per event: linear in the text, however small the chunks are. */
  #held = ''
  #started = false
  /** Code units before the first line of the event that is held: a byte order mark, or none. */
  #mark = 0
  #atLineStart = true
  /** A carriage return was the last code unit: a line feed may still belong to it. */
  #afterReturn = false
  /** That carriage return ended a blank line, so the event ends with it or right after it. */
  #afterBlank = false

  get pending(): number {
    return this.#held.length
  }

  feed(chunk: string): readonly StreamEvent[] {
    const events: StreamEvent[] = []
    let from = 0
    const complete = (to: number) => {
      events.push(this.#take(chunk.slice(from, to)))
      from = to
    }
    for (let at = this.#skipMark(chunk); at < chunk.length; at += 1) {
      const code = chunk.charCodeAt(at)
      if (this.#afterReturn) {
        const blank = this.#afterBlank
        this.#afterReturn = false
        this.#afterBlank = false
        if (blank) complete(code === LF ? at + 1 : at)
        if (code === LF) continue
      }
      if (code === CR) {
        this.#afterReturn = true
        this.#afterBlank = this.#atLineStart
        this.#atLineStart = true
      } else if (code === LF) {
        if (this.#atLineStart) complete(at + 1)
        this.#atLineStart = true
      } else {
        this.#atLineStart = false
      }
    }
    this.#held += chunk.slice(from)
    return events
  }

  end(): StreamEnd {
    const events = this.#afterBlank ? [this.#take('')] : []
    const leftover = this.#held
    this.#held = ''
    this.#afterReturn = false
    this.#afterBlank = false
    return { events, leftover }
  }

  #take(rest: string): StreamEvent {
    const raw = this.#held + rest
    const event = parseEvent(raw, this.#mark)
    this.#held = ''
    this.#mark = 0
    return event
  }

  /** One byte order mark may lead the stream and is no part of its first line. */
  #skipMark(chunk: string): number {
    if (this.#started || chunk === '') return 0
    this.#started = true
    this.#mark = chunk.startsWith(BOM) ? 1 : 0
    return this.#mark
  }
}

function parseEvent(raw: string, start: number): StreamEvent {
  const data: string[] = []
  let event: string | null = null
  let id: string | null = null
  let retry: number | null = null
  for (const line of raw.slice(start).split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    switch (name) {
      case 'data':
        data.push(value)
        break
      case 'event':
        event = value
        break
      case 'id':
        if (!value.includes('\0')) id = value
        break
      case 'retry':
        if (/^[0-9]+$/.test(value)) retry = Number(value)
        break
    }
  }
  return { raw, data: data.length === 0 ? null : data.join('\n'), event, id, retry }
}
