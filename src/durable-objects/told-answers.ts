/** Whoever asks again does so within seconds. */
const MOST = 512

/**
 * Which answers were told lately, so that one whose reply was lost counts once. An upstream may answer a
 * call twice, where its stream goes on elsewhere: what the second one holds is news.
 *
 * INVARIANT: what is not remembered counts again, never not at all.
 */
export class ToldAnswers {
  readonly #told = new Map<string, string>()

  isKnown(decision: string, digest: string): boolean {
    return this.#told.get(decision) === digest
  }

  add(decision: string, digest: string): void {
    this.#told.delete(decision)
    this.#told.set(decision, digest)
    if (this.#told.size <= MOST) return
    const [oldest] = this.#told.keys()
    if (oldest !== undefined) this.#told.delete(oldest)
  }
}
