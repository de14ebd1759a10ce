// Pure. The values and the sums of one field, as they are asked for: what is asked again and again
// with the same or a later `from` is not added up anew.
import { lastSeen, LOST, type ValueFact } from './distinct.ts'
import type { Change, SumKey, ValuesKey } from './memory.ts'
import { bucketOf, worthOf, type Bucket } from './sums.ts'

export class ValueSeries {
  readonly #facts = new Map<string, ValueFact>()
  #lost: ValueFact | undefined

  get size(): number {
    return this.#facts.size
  }

  get isEmpty(): boolean {
    return this.#facts.size === 0 && this.#lost === undefined
  }

  get latest(): number {
    let latest = this.#lost === undefined ? -Infinity : lastSeen(this.#lost)
    for (const fact of this.#facts.values()) latest = Math.max(latest, lastSeen(fact))
    return latest
  }

  get(digest: string): ValueFact | undefined {
    return digest === LOST ? this.#lost : this.#facts.get(digest)
  }

  set(digest: string, fact: ValueFact | null): void {
    if (digest === LOST) {
      this.#lost = fact ?? undefined
      return
    }
    const before = this.#facts.get(digest)
    // What was only taken back keeps its place: it is not newer for it.
    if (before === undefined || fact === null || lastSeen(fact) > lastSeen(before)) {
      this.#facts.delete(digest)
    }
    if (fact !== null) this.#facts.set(digest, fact)
  }

  eldest(): Iterable<string> {
    return this.#facts.keys()
  }

  /** How many there are, with `also`; Infinity where others are no longer known. */
  count(from: number, also: readonly string[]): number {
    if (this.#lost !== undefined && lastSeen(this.#lost) >= from) return Infinity
    let count = 0
    for (const fact of this.#facts.values()) if (lastSeen(fact) >= from) count += 1
    for (const digest of new Set(also)) {
      const known = this.#facts.get(digest)
      if (known === undefined || lastSeen(known) < from) count += 1
    }
    return count
  }

  /** false: there were others, which are no longer known. */
  gather(from: number, found: Set<string>): boolean {
    if (this.#lost !== undefined && lastSeen(this.#lost) >= from) return false
    for (const [digest, fact] of this.#facts) if (lastSeen(fact) >= from) found.add(digest)
    return true
  }

  forgotten(key: ValuesKey): Change[] {
    const digests = [...this.#facts.keys(), ...(this.#lost === undefined ? [] : [LOST])]
    return digests.map((digest) => ({ kind: 'value', key: { ...key, digest }, value: null }))
  }
}

export class BucketSeries {
  readonly #buckets = new Map<number, Bucket>()
  readonly #width: number
  /** What each first bucket that was asked for led to. */
  readonly #sums = new Map<number, number>()

  constructor(width: number) {
    this.#width = width
  }

  get isEmpty(): boolean {
    return this.#buckets.size === 0
  }

  get latest(): number {
    let latest = -Infinity
    for (const start of this.#buckets.keys()) latest = Math.max(latest, start + this.#width)
    return latest
  }

  get(start: number): Bucket | undefined {
    return this.#buckets.get(start)
  }

  set(start: number, bucket: Bucket | null): void {
    const before = this.#buckets.get(start)
    if (bucket === null) this.#buckets.delete(start)
    else this.#buckets.set(start, bucket)
    const added = bucket !== null && worthOf(bucket) - (before === undefined ? 0 : worthOf(before))
    for (const [first, sum] of this.#sums) {
      if (start < first) continue
      // INVARIANT: a sum that cannot be carried on exactly is added up anew.
      if (typeof added === 'number' && added >= 0 && Number.isSafeInteger(added)) {
        this.#sums.set(first, sum + added)
      } else {
        this.#sums.delete(first)
      }
    }
  }

  before(start: number): number[] {
    const found: number[] = []
    // Their order is that of their beginnings, but for a few.
    for (const one of this.#buckets.keys()) {
      if (one >= start || found.length >= MOST_AT_ONCE) break
      found.push(one)
    }
    return found
  }

  since(from: number): number {
    const first = bucketOf(from, this.#width)
    const known = this.#sums.get(first)
    if (known !== undefined) return known
    let sum = 0
    for (const [start, bucket] of this.#buckets) if (start >= first) sum += worthOf(bucket)
    if (this.#sums.size >= MOST_AT_ONCE) this.#sums.clear()
    this.#sums.set(first, sum)
    return sum
  }

  forgotten(key: SumKey): Change[] {
    return [...this.#buckets.keys()].map((start) => ({
      kind: 'amount',
      key: { ...key, start },
      value: null,
    }))
  }
}

const MOST_AT_ONCE = 8
