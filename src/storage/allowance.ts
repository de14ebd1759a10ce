/** So many a second, counted from the first one. For what a stranger could ask for without end. */
export class Allowance {
  readonly #perSecond: number
  #since = 0
  #taken = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  take(now: number): boolean {
    if (now >= this.#since + 1_000) {
      this.#since = now
      this.#taken = 0
    }
    this.#taken += 1
    return this.#taken <= this.#perSecond
  }
}
