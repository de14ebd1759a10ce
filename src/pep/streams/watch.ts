import { inTime, LATE } from '../../in-time.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Refused } from '../decide.ts'
import type { OpenPermit } from './open.ts'

/** Deciding again takes no longer: what is not allowed in time is not allowed. */
const DECIDED_WITHIN_MS = 1_000
/** For how long a look vouches for what is released beside the answer. */
const LOOK_COUNTS_MS = 500
/** After a change, so that nothing spins where the session cannot vouch for what it reads. */
const PAUSE_MS = 250

/**
 * Watches over an operation while it is open: the session says when rows have moved, the clock says when
 * something lapses, and then it is decided again.
 *
 * INVARIANT: whoever is no longer allowed gets no further byte, within a second of the change, and
 * within two it is over; also where nobody can say whether it is allowed.
 */
export class Watch {
  readonly #permit: OpenPermit
  /** The operation may not go on; said once. */
  readonly #onRefused: (refused: Refused) => void
  #timer: ReturnType<typeof setTimeout> | null = null
  #isWatching = false
  /** The beginning of the last look of our own that found nothing. */
  #sureAt = -Infinity
  #isOver = false

  constructor(permit: OpenPermit, onRefused: (refused: Refused) => void) {
    this.#permit = permit
    this.#onRefused = onRefused
  }

  /** After that many milliseconds: what ends before costs nothing. */
  start(delay: number): void {
    this.#timer = setTimeout(() => {
      this.#isWatching = true
      void this.#run()
    }, delay)
  }

  stop(): void {
    this.#isOver = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  /** Before a result is released: by rows that were looked at within the last half second. */
  async mayRelease(): Promise<Result<null, Refused>> {
    if (!this.#isWatching) return ok(null)
    return this.#check(false)
  }

  /** Before anything else of a stream is released: by a look that is hardly older. */
  async mayGoOn(): Promise<Result<null, Refused>> {
    const now = Date.now()
    if (!this.#isWatching || now - this.#sureAt < LOOK_COUNTS_MS) return ok(null)
    const checked = await this.#check(false)
    if (checked.ok) this.#sureAt = now
    return checked
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      // One look after the other, for as long as it is open.
      // oxlint-disable-next-line no-await-in-loop
      const checked = await this.#check(true)
      if (this.#isOver) return
      if (checked.ok) continue
      this.stop()
      this.#onRefused(checked.error)
    }
  }

  async #check(wait: boolean): Promise<Result<null, Refused>> {
    const { open, session, tenant, decision } = this.#permit
    const { standing } = open
    const { actorKey } = open.whose
    const asking = session.changes({ tenant, actorKey, state: standing.state, wait })
    const answer = wait ? await this.#untilLapse(asking) : await asking
    if (this.#isOver && wait) return ok(null)
    if (Date.now() >= standing.tokenUntil) {
      return err({ refusal: { at: 'forward', reason: 'token_ended' }, decision })
    }
    // So much is open that it could not all be asked about in time.
    if (answer === 'crowded') return this.#undecided()
    if (answer === 'same' && Date.now() < standing.until) return ok(null)
    try {
      const again = await inTime(standing.again(), DECIDED_WITHIN_MS, LATE)
      if (again === LATE) return this.#undecided()
      if (wait && again.ok) await pause(PAUSE_MS)
      return again
    } catch (fault) {
      console.error('fault', fault)
      return this.#undecided()
    }
  }

  #undecided(): Result<never, Refused> {
    const { decision } = this.#permit
    return err({ refusal: { at: 'forward', reason: 'result_undecided' }, decision })
  }

  async #untilLapse<T>(asking: Promise<T>): Promise<T | 'lapsed'> {
    let timer: ReturnType<typeof setTimeout> | null = null
    const left = Math.max(0, this.#permit.open.standing.until - Date.now())
    const lapse = new Promise<'lapsed'>((resolve) => {
      timer = setTimeout(() => resolve('lapsed'), left)
    })
    try {
      return await Promise.race([asking, lapse])
    } finally {
      if (timer !== null) clearTimeout(timer)
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
