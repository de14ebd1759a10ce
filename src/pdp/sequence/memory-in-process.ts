// Pure. A session's memory held in maps: all of it in the policy commands and in replay, and what a
// session object works with while it is awake.
import { FRESH, type SessionFlags } from '../provenance/flags.ts'
import { NOTHING_KNOWN, type OriginFact } from '../provenance/origin.ts'
import type { ValueFact } from './distinct.ts'
import { isShared, tableOfOrigin } from './draft.ts'
import type { LabelFact } from './facts.ts'
import { isAlone, specOf } from './groups.ts'
import type {
  Change,
  Eldest,
  FactKey,
  OriginKey,
  SumKey,
  TallyTable,
  ValuesKey,
  WorkingMemory,
} from './memory.ts'
import { BucketSeries, ValueSeries } from './series.ts'
import { Lru } from './lru.ts'
import type { Bucket } from './sums.ts'

interface Held<K, V> {
  readonly key: K
  readonly value: V
}

export class MemoryInProcess implements WorkingMemory {
  /** What most rules ask for, under its label alone. */
  readonly #subject = new Map<string, LabelFact>()
  readonly #alone = new Map<string, LabelFact>()
  readonly #groups = new Map<string, Lru<Held<FactKey, LabelFact>>>()
  readonly #values = new Map<string, Held<ValuesKey, ValueSeries>>()
  readonly #sums = new Map<string, Held<SumKey, BucketSeries>>()
  readonly #tallies = new Map<string, Lru<string>>()
  readonly #origins = {
    kind: new Lru<Held<OriginKey, OriginFact>>(),
    passed: new Lru<Held<OriginKey, OriginFact>>(),
    seen: new Lru<Held<OriginKey, OriginFact>>(),
  }
  #flags = FRESH

  label(key: FactKey): LabelFact | undefined {
    if (key.scope === 'subject' && key.group === '') return this.#subject.get(key.label)
    return standsAlone(key)
      ? this.#alone.get(entryOf(key) + key.label)
      : this.#groups.get(tableOf(key))?.get(entryOf(key))?.value
  }

  groups(key: FactKey): Eldest<FactKey> {
    return eldestOf(this.#groups.get(tableOf(key)), ({ key: one }) => one, entryOf)
  }

  distinct(keys: readonly ValuesKey[], from: number, also: readonly string[]): number {
    const found: ValueSeries[] = []
    for (const key of keys) {
      const series = this.#values.get(seriesIdOf(key))?.value
      if (series !== undefined) found.push(series)
    }
    const [only] = found
    if (only === undefined) return new Set(also).size
    if (found.length === 1) return only.count(from, also)
    const all = new Set(also)
    return found.every((series) => series.gather(from, all)) ? all.size : Infinity
  }

  value(key: ValuesKey, digest: string): ValueFact | undefined {
    return this.#values.get(seriesIdOf(key))?.value.get(digest)
  }

  values(key: ValuesKey): Eldest<ValuesKey & { readonly digest: string }> {
    const series = this.#values.get(seriesIdOf(key))?.value
    return {
      size: series?.size ?? 0,
      has: ({ digest }) => series?.get(digest) !== undefined,
      eldest: function* eldest() {
        for (const digest of series?.eldest() ?? []) yield { ...key, digest }
      },
    }
  }

  sum(key: SumKey, from: number): number {
    return this.#sums.get(seriesIdOf(key))?.value.since(from) ?? 0
  }

  bucket(key: SumKey, start: number): Bucket | undefined {
    return this.#sums.get(seriesIdOf(key))?.value.get(start)
  }

  bucketsBefore(key: SumKey, start: number): readonly number[] {
    return this.#sums.get(seriesIdOf(key))?.value.before(start) ?? []
  }

  tallies(key: ValuesKey | SumKey): TallyTable {
    const id = seriesIdOf(key)
    const table = this.#tallies.get(tableOf(key))
    return {
      size: table?.size ?? 0,
      has: table?.get(id) !== undefined,
      outdated: (at) => {
        const [eldest] = table?.eldest() ?? []
        if (eldest === undefined) return []
        return isSum(key)
          ? outdated(this.#sums.get(eldest), at)
          : outdated(this.#values.get(eldest), at)
      },
    }
  }

  origins(digest: string, type: string | null): OriginFact {
    const id = originIdOf({ digest, type })
    const { kind, passed, seen } = this.#origins
    const held = type === null ? (passed.get(id) ?? seen.get(id)) : kind.get(id)
    return held?.value ?? NOTHING_KNOWN
  }

  originsLike(type: OriginKey['type'], fact: OriginFact): Eldest<OriginKey> {
    return eldestOf(this.#origins[tableOfOrigin(type, fact)], ({ key }) => key, originIdOf)
  }

  flags(): SessionFlags {
    return this.#flags
  }

  /** A memory from all that was kept of it, in whatever order that is. */
  static restored(changes: readonly Change[]): MemoryInProcess {
    const memory = new MemoryInProcess()
    memory.apply(changes.toSorted((a, b) => touchedAt(a) - touchedAt(b)))
    return memory
  }

  /** In the order of the changes; of those of one step the order is all the same. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) this.#apply(change)
  }

  #apply(change: Change): void {
    switch (change.kind) {
      case 'label':
        this.#applyLabel(change.key, change.value)
        return
      case 'value': {
        const { digest, ...key } = change.key
        const series = held(this.#values, key, () => new ValueSeries()).value
        series.set(digest, change.value)
        this.#listTally(key, series.isEmpty, this.#values)
        return
      }
      case 'amount': {
        const { start, ...key } = change.key
        const series = held(this.#sums, key, () => new BucketSeries(key.width)).value
        series.set(start, change.value)
        this.#listTally(key, series.isEmpty, this.#sums)
        return
      }
      case 'origin':
        this.#applyOrigin(change.key, change.value)
        return
      case 'flag':
        this.#flags = change.value
    }
  }

  #applyLabel(key: FactKey, value: LabelFact | null): void {
    const entry = entryOf(key)
    if (standsAlone(key)) {
      const isSubject = key.scope === 'subject' && key.group === ''
      const [facts, id] = isSubject ? [this.#subject, key.label] : [this.#alone, entry + key.label]
      if (value === null) facts.delete(id)
      else facts.set(id, value)
      return
    }
    const name = tableOf(key)
    const table = this.#groups.get(name) ?? new Lru()
    this.#groups.set(name, table)
    table.put(entry, value === null ? null : { key, value })
  }

  /** Which groups there are, by when they were touched. */
  #listTally(key: ValuesKey | SumKey, isEmpty: boolean, all: Map<string, unknown>): void {
    const id = seriesIdOf(key)
    if (isEmpty) all.delete(id)
    if (isAlone(key.scope, key.group) || isShared(key)) return
    const name = tableOf(key)
    const table = this.#tallies.get(name) ?? new Lru<string>()
    this.#tallies.set(name, table)
    table.put(id, isEmpty ? null : id)
  }

  #applyOrigin(key: OriginKey, value: OriginFact | null): void {
    const id = originIdOf(key)
    const wanted = value === null ? null : this.#origins[tableOfOrigin(key.type, value)]
    for (const table of Object.values(this.#origins)) {
      if (table === wanted && value !== null) table.put(id, { key, value })
      else if (table.get(id) !== undefined && (key.type === null || value === null))
        table.put(id, null)
    }
  }
}

/** What decides which of two was touched longer ago. */
function touchedAt(change: Change): number {
  switch (change.kind) {
    case 'label':
      return change.value?.last.sequence ?? 0
    case 'value':
      return change.value?.seen.at(-1)?.sequence ?? 0
    case 'amount':
      return change.key.start
    case 'origin':
    case 'flag':
      return 0
  }
}

interface Series<K> {
  readonly latest: number
  forgotten(key: K): Change[]
}

const outdated = <K>(one: Held<K, Series<K>> | undefined, at: number): Change[] =>
  one !== undefined && one.value.latest < at ? one.value.forgotten(one.key) : []

const standsAlone = (key: FactKey): boolean => isAlone(key.scope, key.group) || isShared(key)

const isSum = (key: ValuesKey | SumKey): key is SumKey => 'width' in key

/** What groups and keys of one label share. */
const tableOf = (key: FactKey & Partial<SumKey>): string =>
  `${key.scope} ${key.label} ${specOf(key.group)} ${key.field ?? ''} ${key.width ?? ''}`

const entryOf = ({ scope, key, group }: FactKey): string => `${scope}\n${key}\n${group}\n`

const seriesIdOf = (key: ValuesKey | SumKey): string =>
  `${entryOf(key)}${key.label} ${key.field} ${isSum(key) ? key.width : ''}`

const originIdOf = ({ digest, type }: OriginKey): string => `${digest}\n${type ?? ''}`

function held<K extends ValuesKey, V>(
  all: Map<string, Held<K, V>>,
  key: K,
  make: () => V,
): Held<K, V> {
  const id = seriesIdOf(key)
  const known = all.get(id)
  if (known !== undefined) return known
  const fresh = { key, value: make() }
  all.set(id, fresh)
  return fresh
}

function eldestOf<K, V>(
  table: Lru<V> | undefined,
  keyOf: (value: V) => K,
  idOf: (key: K) => string,
): Eldest<K> {
  return {
    size: table?.size ?? 0,
    has: (key) => table?.get(idOf(key)) !== undefined,
    eldest: function* eldest() {
      for (const value of table?.eldest() ?? []) yield keyOf(value)
    },
  }
}
