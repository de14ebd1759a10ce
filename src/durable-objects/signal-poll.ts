import { DurableObject } from 'cloudflare:workers'
import { heardAt } from '../signals/liveness.ts'
import { pollStream } from '../signals/poll.ts'
import { receiverOf } from '../signals/parts.ts'
import { openStream, type Receiver } from '../signals/receiver.ts'

const STREAM = 'stream'
const AFTER_FAULT_MS = 30_000

/**
 * One object per polled stream: nobody else polls it, so every event is fetched by one. Its alarm
 * comes every `poll_every_s`; the clock of the Worker (`scheduled`) begins it, and again if it ended.
 */
export class SignalPoll extends DurableObject<Env> {
  readonly #receiver: Receiver
  #running = false

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#receiver = receiverOf(env)
  }

  /** Idempotent: called once a minute for every stream that is polled. */
  async begin(stream: string): Promise<void> {
    if ((await this.ctx.storage.get<string>(STREAM)) !== stream) {
      await this.ctx.storage.put(STREAM, stream)
    }
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now())
  }

  override async alarm(): Promise<void> {
    const stream = await this.ctx.storage.get<string>(STREAM)
    if (stream === undefined || this.#running) return
    this.#running = true
    try {
      const next = await this.#round(stream)
      if (next !== null) await this.ctx.storage.setAlarm(Date.now() + next)
    } finally {
      this.#running = false
    }
  }

  /** When to come again, in milliseconds; null: the stream is polled no more. */
  async #round(id: string): Promise<number | null> {
    const stream = await openStream(this.#receiver, id)
    if (!stream.ok) return stream.error.reason === 'stream_unknown' ? null : AFTER_FAULT_MS
    if (stream.value.poll === null) return null
    const again = stream.value.poll.everySeconds * 1000
    const askedAt = Date.now()
    const polled = await pollStream(this.#receiver, stream.value, (url, init) => fetch(url, init))
    if (!polled.ok) {
      this.#receiver.report(id, polled.error)
      return Math.max(again, AFTER_FAULT_MS)
    }
    // An answer, even an empty one, is a sign of life over a connection that names its host. One that
    // could not be taken is none: nobody knows what it would have told.
    const { refused, put_off: putOff } = polled.value
    if (refused === 0 && putOff === 0) await heardAt(this.#receiver, stream.value, askedAt)
    return again
  }
}
