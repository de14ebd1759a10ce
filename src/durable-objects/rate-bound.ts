const WINDOW_MS = 60_000
const MAX_ACTORS = 1_000

interface Window {
  readonly startedAt: number
  taken: number
  /** The first refusal of this window, which is the one on record. */
  refused: string | null
}

/** `decision`: the one whose record the refusal quotes. */
export interface Overrun {
  readonly retryAfterSeconds: number
  readonly decision: string
}

/**
 * How many decisions an actor may ask for in a minute. Kept in memory only: it protects the session
 * from a flood, it is no budget (a budget is a sequence rule).
 */
export class RateBound {
  readonly #windows = new Map<string, Window>()

  /** Takes one; null if it was granted. */
  take(actor: string, perMinute: number, decision: string, now: number): Overrun | null {
    const known = this.#windows.get(actor)
    const window =
      known !== undefined && now < known.startedAt + WINDOW_MS
        ? known
        : { startedAt: now, taken: 0, refused: null }
    if (known !== window) this.#start(actor, window)
    window.taken += 1
    if (window.taken <= perMinute) return null
    window.refused ??= decision
    return {
      retryAfterSeconds: Math.max(1, Math.ceil((window.startedAt + WINDOW_MS - now) / 1000)),
      decision: window.refused,
    }
  }

  /** The oldest window goes first: an object must not grow with the number of clients it has seen. */
  #start(actor: string, window: Window): void {
    this.#windows.delete(actor)
    this.#windows.set(actor, window)
    if (this.#windows.size > MAX_ACTORS) {
      const [oldest] = this.#windows.keys()
      if (oldest !== undefined) this.#windows.delete(oldest)
    }
  }
}
