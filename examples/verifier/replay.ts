/** Remembers which tokens were used, until they are over anyway. */
export interface ReplayStore {
  /** False: it was used before. Two that ask at the same time must not both hear true. */
  use(tokenId: string, untilMs: number): boolean | Promise<boolean>
}

/** In the memory of one process. */
export class UsedTokens implements ReplayStore {
  readonly #until = new Map<string, number>()
  readonly #now: () => number
  #nextSweep = 0

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  use(tokenId: string, untilMs: number): boolean {
    const now = this.#now()
    if (now >= this.#nextSweep) {
      for (const [used, until] of this.#until) if (until <= now) this.#until.delete(used)
      this.#nextSweep = now + SWEEP_MS
    }
    if (this.#until.has(tokenId)) return false
    this.#until.set(tokenId, untilMs)
    return true
  }
}

const SWEEP_MS = 10_000
