import { inTime, LATE } from '../in-time.ts'
import { readState } from '../storage/freshness.ts'
import type { ChangeAnswer, ChangeQuestion } from './session-protocol.ts'

/** How often D1 is looked at while anything is open, and how old a look may be to count. */
const LOOK_EVERY_MS = 500
/** A look that takes longer is as good as none: whoever asks has to decide again after it. */
const LOOK_BUDGET_MS = 500
/** A question that waits is answered by then: whoever asks comes again, or is gone. */
const LONGEST_WAIT_MS = 5_000

/** What one actor may have open beyond half a second: each costs a decision whenever a row moves. */
const MOST_OPEN = 128

interface Waiter {
  readonly actorKey: string
  readonly state: string
  readonly until: number
  readonly answer: (answer: ChangeAnswer) => void
}

/** What one look found. */
interface Look {
  /** When it began. */
  readonly at: number
  /** null: nothing vouches for what was read. LATE: nothing was read. */
  readonly state: string | null | typeof LATE
}

/**
 * Whether the rows of this session's tenant have moved since a call was decided: asked by all calls and
 * streams of one subject that are still open, and answered by one reading of D1 for all of them. In an
 * object one promise may serve many requests; in a Worker's isolate it may not.
 */
export class ChangeWatch {
  readonly #database: D1Database
  readonly #waiters = new Set<Waiter>()
  /** How many of them are of an actor. */
  readonly #open = new Map<string, number>()
  #looking: { readonly at: number; readonly look: Promise<Look> } | null = null
  #last: Look | null = null
  #isRunning = false

  constructor(database: D1Database) {
    this.#database = database
  }

  async ask({ tenant, actorKey, state, wait }: ChangeQuestion): Promise<ChangeAnswer> {
    const now = Date.now()
    const last = this.#last
    const look = last !== null && now - last.at < LOOK_EVERY_MS ? last : await this.#look(tenant)
    const answer = compare(state, look)
    if (answer !== 'same' || !wait) return answer
    const open = this.#open.get(actorKey) ?? 0
    if (open >= MOST_OPEN) return 'crowded'
    this.#open.set(actorKey, open + 1)
    return new Promise((resolve) => {
      this.#waiters.add({ actorKey, state, until: now + LONGEST_WAIT_MS, answer: resolve })
      if (!this.#isRunning) void this.#run(tenant)
    })
  }

  /** For as long as anybody waits. */
  async #run(tenant: string): Promise<void> {
    this.#isRunning = true
    while (this.#waiters.size > 0) {
      // A look every half second, one after the other.
      // oxlint-disable-next-line no-await-in-loop
      await scheduler.wait(LOOK_EVERY_MS)
      // oxlint-disable-next-line no-await-in-loop
      const look = await this.#look(tenant)
      const now = Date.now()
      for (const waiter of this.#waiters) {
        const answer = compare(waiter.state, look)
        if (answer === 'same' && now < waiter.until) continue
        this.#leave(waiter)
        waiter.answer(answer)
      }
    }
    this.#isRunning = false
  }

  #leave(waiter: Waiter): void {
    const { actorKey } = waiter
    this.#waiters.delete(waiter)
    const left = (this.#open.get(actorKey) ?? 1) - 1
    if (left === 0) this.#open.delete(actorKey)
    else this.#open.set(actorKey, left)
  }

  /** INVARIANT: a look that is shared is not older than one that counts. */
  #look(tenant: string): Promise<Look> {
    const at = Date.now()
    if (this.#looking !== null && at - this.#looking.at < LOOK_EVERY_MS) return this.#looking.look
    const look = this.#read(tenant, at)
    this.#looking = { at, look }
    return look
  }

  async #read(tenant: string, at: number): Promise<Look> {
    try {
      const reading = readState(this.#database.withSession('first-primary'), tenant)
      this.#last = { at, state: await inTime(reading, LOOK_BUDGET_MS, LATE) }
    } catch (error) {
      console.warn('what is open could not be checked', String(error))
      this.#last = { at, state: LATE }
    } finally {
      this.#looking = null
    }
    return this.#last
  }
}

/** What cannot be told counts as changed: whoever asks finds out, and fails closed. */
const compare = (state: string, look: Look): ChangeAnswer =>
  look.state === state ? 'same' : 'changed'
