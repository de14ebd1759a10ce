import { inTime } from '../../in-time.ts'
import type { StreamEvent } from '../../mcp/event-stream.ts'
import type { MessageId } from '../../mcp/refusal.ts'
import type { Result } from '../../result.ts'
import type { Refused } from '../decide.ts'
import { RPC } from '../explained.ts'
import { refusalMessage } from '../refuse.ts'
import { pass } from '../pass.ts'
import { noteUnseen } from '../unseen.ts'
import { isSessionStream, withheldBecause, type Passage, type Relay } from '../relay.ts'
import { EventSource, MalformedStream } from './event-source.ts'
import { frame, KEEP_ALIVE, NO_FIELDS } from './frame.ts'
import { mayGoOn, suspend } from './suspension.ts'

/** Silence that is longer is filled. A client that has left is noticed at the next write. */
const KEEP_ALIVE_MS = 5_000
/** What an upstream may still take to answer a legacy client that has left. */
const DRAIN_MS = 30_000
/** What a server has said already is here by then. */
const HEAR_OUT_MS = 250

type Controller = ReadableStreamDefaultController<Uint8Array>

/**
 * Moves events from an upstream to a client, one at a time and only as fast as the client reads. The
 * stream ends with the answer, or with an error in its place; that of a session has no answer, and ends
 * when either side ends it.
 */
export class EventPump {
  readonly #source: EventSource
  readonly #relay: Relay
  readonly #encoder = new TextEncoder()
  /** Events that were read with the one that went out last. */
  #waiting: StreamEvent[] = []
  #pulling: Promise<void> | null = null
  /** Was read when the client had left already. */
  #unseen: Result<Passage, string> | null = null
  #controller: Controller | null = null
  #ticking: ReturnType<typeof setInterval> | null = null
  #writtenAt = Date.now()
  /** An event with an id went out: the stream may go on elsewhere. */
  #hasIds = false
  /** The last byte is out, or nobody is there to read it. */
  #ended = false

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, relay: Relay) {
    this.#source = new EventSource(reader)
    this.#relay = relay
  }

  start(controller: Controller): void {
    this.#controller = controller
    this.#ticking = setInterval(() => this.#tick(), KEEP_ALIVE_MS)
    this.#relay.onRefused = (refused) => this.#refuse(refused)
  }

  /** Releases at least one event, or ends the stream. */
  pull(): Promise<void> {
    this.#pulling = this.#pull()
    return this.#pulling
  }

  async #pull(): Promise<void> {
    try {
      while (!this.#ended) {
        // One after the other: the order of a stream is part of what it says.
        // oxlint-disable-next-line no-await-in-loop
        const event = this.#waiting.shift() ?? (await this.#next())
        if (this.#ended) {
          // Nobody was there for it: whoever reads on finds it.
          if (event !== null) this.#waiting.unshift(event)
          return
        }
        // oxlint-disable-next-line no-await-in-loop
        if (event === null) return await this.#ranOut()
        // oxlint-disable-next-line no-await-in-loop
        if (await this.#release(event)) return
      }
    } catch (fault) {
      if (fault instanceof MalformedStream) return this.#withhold(fault.message)
      // Cut, or cancelled by us: then it has ended already.
      await this.#broke('the stream broke')
    }
  }

  /**
   * In 2026-07-28 to leave is to cancel (basic/transports). Before it is not: the upstream may go on, and
   * what it comes to is recorded, for as long as anybody may wait for a Worker whose client has left.
   */
  clientLeft(): void {
    if (this.#ended) return
    this.#end()
    const { permit, upstream, settle, background } = this.#relay
    if (permit.operation.era === 'modern' || isSessionStream(this.#relay)) {
      upstream.abort()
      settle('committed', 'the client left')
      return
    }
    background(this.#drain())
  }

  /** The next event of the upstream; null: it has ended. */
  async #next(): Promise<StreamEvent | null> {
    while (this.#waiting.length === 0) {
      // oxlint-disable-next-line no-await-in-loop
      const events = await this.#source.read()
      if (events === null) return null
      this.#waiting.push(...events)
    }
    return this.#waiting.shift() ?? null
  }

  /** True if the client has something to read, or the stream has ended. */
  async #release(event: StreamEvent): Promise<boolean> {
    const { data, id } = event
    const isMessage = event.event === null || event.event === '' || event.event === 'message'
    // An event without data, or with empty data, carries no message (MCP 2025-11-25 priming), and one
    // with a name of its own is none for an MCP client.
    if (data === null || data === '' || !isMessage) {
      this.#write(frame(isMessage ? data : null, event, this.#eventKey()))
      this.#hasIds ||= id !== null && this.#eventKey() !== null
      return true
    }
    const passage = await pass(data, this.#relay)
    if (this.#ended) {
      this.#unseen = passage
      return true
    }
    if (!passage.ok) {
      this.#withhold(passage.error)
      return true
    }
    return this.#let(passage.value, event)
  }

  #let(passage: Passage, event: StreamEvent): boolean {
    switch (passage.kind) {
      case 'drop':
        return false
      case 'withhold':
        this.#refuse(passage.refused)
        return true
      case 'pass': {
        const { text, last, remark, happened } = passage
        this.#write(frame(text, event, this.#eventKey()))
        this.#hasIds ||= event.id !== null && this.#eventKey() !== null
        if (last) {
          this.#relay.settle('committed', remark ?? 'streamed', happened)
          this.#close()
        }
        return true
      }
    }
  }

  /** The upstream has ended its stream. */
  async #ranOut(): Promise<void> {
    if (isSessionStream(this.#relay)) {
      this.#relay.settle('committed', 'the stream ended')
      return this.#close()
    }
    await this.#broke('the stream ended before the answer')
  }

  /** The answer may still come, in another stream of the session (MCP 2025-11-25, resumability). */
  async #broke(detail: string): Promise<void> {
    if (this.#ended) return
    const goesOn = this.#hasIds && mayGoOn(this.#relay) && (await suspend(this.#relay))
    if (this.#ended) return
    if (goesOn) {
      // Not settled: until its answer is there, it counts as its worst case.
      this.#relay.leaveOpen()
      return this.#close()
    }
    this.#withhold(detail)
  }

  /** Reads on for an answer that nobody waits for, so that it is known what the call came to. */
  async #drain(): Promise<void> {
    const { upstream, settle } = this.#relay
    const limit = setTimeout(() => {
      upstream.abort()
      settle('committed', 'the client left, and no answer came')
    }, DRAIN_MS)
    try {
      if (this.#hasIds && mayGoOn(this.#relay)) await suspend(this.#relay)
      await this.#pulling
      if (this.#unseen !== null && this.#settles(this.#unseen)) return
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop
        const event = await this.#next()
        if (event === null) return settle('committed', 'the client left, and no answer came')
        if (event.data === null || event.data === '') continue
        // oxlint-disable-next-line no-await-in-loop
        if (this.#settles(await pass(event.data, this.#relay))) return
      }
    } catch {
      settle('committed', 'the client left, and the stream broke')
    } finally {
      clearTimeout(limit)
      upstream.abort()
    }
  }

  /** Whether this was the answer that nobody waits for. */
  #settles(passage: Result<Passage, string>): boolean {
    const { settle } = this.#relay
    if (!passage.ok) {
      settle('withheld', passage.error)
      return true
    }
    if (passage.value.kind === 'withhold') {
      settle('withheld', withheldBecause(passage.value.refused))
      return true
    }
    if (passage.value.kind === 'drop' || !passage.value.last) return false
    settle('committed', 'the client left', passage.value.happened)
    return true
  }

  /** A refusal in place of what would have come; what the upstream did stays done. */
  #refuse(refused: Refused): void {
    if (this.#ended) return
    this.#relay.settle('withheld', withheldBecause(refused))
    const { refusal, decision } = refused
    const { id, era, method } = this.#relay.permit.operation
    if (id !== null) {
      const toolCall = method === 'tools/call'
      this.#say(refusalMessage(refusal, { id, era, toolCall, decision }))
    }
    this.#end()
    this.#controller?.close()
    this.#relay.background(this.#hearOut())
  }

  /**
   * A client that reads slowly, or not at all, has not heard what the server has said; it may have said that
   * something runs on.
   */
  async #hearOut(): Promise<void> {
    const { upstream, permit } = this.#relay
    try {
      if (permit.operation.method === 'tools/call') {
        await inTime(this.#hear(), HEAR_OUT_MS, null)
      }
    } catch {
      // Cut: it says nothing more.
    } finally {
      upstream.abort()
    }
  }

  async #hear(): Promise<void> {
    await this.#pulling
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const event = await this.#next()
      if (event === null) return
      // oxlint-disable-next-line no-await-in-loop
      if (event.data !== null && (await noteUnseen(event.data, this.#relay))) return
    }
  }

  /** The client is told in place of the answer; what the upstream did stays done. */
  #withhold(detail: string): void {
    if (this.#ended) return
    this.#relay.settle('withheld', detail)
    console.warn('an answer was withheld', detail)
    const { id } = this.#relay.permit.operation
    if (id !== null) this.#say(errorFor(id))
    this.#close()
  }

  #say(message: unknown): void {
    this.#write(frame(JSON.stringify(message), NO_FIELDS, null))
  }

  /** Only where the client waits and has nothing left to read: a keep-alive is never queued. */
  #tick(): void {
    if (this.#ended || this.#controller?.desiredSize !== 0) return
    if (Date.now() - this.#writtenAt >= KEEP_ALIVE_MS - 50) this.#write(KEEP_ALIVE)
  }

  #write(text: string): void {
    this.#writtenAt = Date.now()
    this.#controller?.enqueue(this.#encoder.encode(text))
  }

  /** What event ids are made with; null: 2026-07-28 has none (basic/transports/streamable-http). */
  #eventKey(): string | null {
    return this.#relay.permit.open.mcp?.eventKey ?? null
  }

  #close(): void {
    this.#end()
    this.#relay.upstream.abort()
    this.#controller?.close()
  }

  #end(): void {
    this.#ended = true
    if (this.#ticking !== null) clearInterval(this.#ticking)
  }
}

const errorFor = (id: MessageId) => ({
  jsonrpc: '2.0',
  id,
  error: { code: RPC.upstream, message: 'the MCP server sent what is not passed on' },
})
