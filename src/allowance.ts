/** So many a second, counted from the first one. For what a stranger could ask for without end. */
export class Allowance {
  readonly #perSecond: number
  #since = 0
  #taken = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  take(now: number): boolean {
    // A clock that was set back must not leave nothing until it gets there again.
    if (now >= this.#since + 1_000 || now < this.#since) {
      this.#since = now
      this.#taken = 0
    }
    this.#taken += 1
    return this.#taken <= this.#perSecond
  }
}
