// Pure. A map in the order in which its entries were touched.

export class Lru<V> {
  readonly #entries = new Map<string, V>()

  get size(): number {
    return this.#entries.size
  }

  get(id: string): V | undefined {
    return this.#entries.get(id)
  }

  /** null: to be removed. */
  put(id: string, value: V | null): void {
    this.#entries.delete(id)
    if (value !== null) this.#entries.set(id, value)
  }

  /** From the one that was touched longest ago. */
  eldest(): Iterable<V> {
    return this.#entries.values()
  }
}
