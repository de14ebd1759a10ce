// Pure. The changes of one step, each thing once, with room made for what is new.
import type { SessionFlags } from '../provenance/flags.ts'
import { NOTHING_KNOWN, type OriginFact } from '../provenance/origin.ts'
import { lastSeen, LOST, seenAgain, VALUES_KEPT, type ValueFact } from './distinct.ts'
import { merged, remember, type LabelFact } from './facts.ts'
import { isAlone, OVERFLOW_KEY, specOf } from './groups.ts'
import type {
  Change,
  Eldest,
  FactKey,
  OriginKey,
  SumKey,
  ValuesKey,
  WorkingMemory,
} from './memory.ts'
import type { Moment } from './step.ts'
import { bucketOf, plus, type Amount, type Bucket } from './sums.ts'

/** How many groups of one label keep a state of their own. */
export const GROUPS_KEPT = 1_024
/** How many groups keep values or sums of their own. */
export const TALLIES_KEPT = 256
/** How many values keep their origins: in each of the tables that they are kept in. */
export const ORIGINS_KEPT = 8_192

export class Draft {
  readonly memory: WorkingMemory
  readonly #changes = new Map<string, Change>()
  /** How much larger each table will be. */
  readonly #growth = new Map<string, number>()

  constructor(memory: WorkingMemory) {
    this.memory = memory
  }

  list(): Change[] {
    return [...this.#changes.values()]
  }

  label(key: FactKey): LabelFact | undefined {
    return this.#read('label', key, () => this.memory.label(key))
  }

  setLabel(key: FactKey, value: LabelFact): void {
    this.#put({ kind: 'label', key, value })
  }

  /**
   * INVARIANT: a group that makes room is merged into what all groups share, where it still counts
   * against each of them and permits nothing to any.
   */
  remember(key: FactKey, moment: Moment): void {
    const known = this.label(key)
    if (known !== undefined || isAlone(key.scope, key.group) || isShared(key)) {
      this.setLabel(key, remember(known, moment))
      return
    }
    const table = `label ${key.scope} ${key.label} ${specOf(key.group)}`
    const shared = sharedOf(key)
    const groups = this.memory.groups(key)
    if (this.#size(table, groups) >= GROUPS_KEPT) {
      const eldest = this.#untouched('label', groups)
      const gone = eldest === undefined ? undefined : this.memory.label(eldest)
      if (eldest === undefined || gone === undefined) {
        this.setLabel(shared, remember(this.label(shared), moment))
        return
      }
      const others = this.label(shared)
      this.setLabel(shared, others === undefined ? gone : merged(others, gone))
      this.#put({ kind: 'label', key: eldest, value: null })
      this.#grow(table, -1)
    }
    this.#grow(table, 1)
    this.setLabel(key, remember(undefined, moment))
  }

  value(key: ValuesKey, digest: string): ValueFact | undefined {
    const read = () => this.memory.value(key, digest)
    return this.#read('value', { ...key, digest }, read)
  }

  setValue(key: ValuesKey, digest: string, value: ValueFact | null): void {
    this.#put({ kind: 'value', key: { ...key, digest }, value })
  }

  /** A value that nobody can name any more, or could ever name. */
  loseValue(key: ValuesKey, moment: Moment): void {
    const lost = this.value(key, LOST)
    if (lost === undefined || lastSeen(lost) < moment.at) {
      this.setValue(key, LOST, { seen: [moment], more: false })
    }
  }

  /** INVARIANT: while a value that was let go of is within a timespan, the number cannot be told. */
  seeValue(wanted: ValuesKey, digest: string, moment: Moment, horizon: number): void {
    const key = this.#withRoom(wanted, moment.at - horizon)
    const known = this.value(key, digest)
    if (known === undefined) {
      const table = `value ${JSON.stringify(seriesOf(key))}`
      const values = this.memory.values(key)
      if (this.#size(table, values) >= VALUES_KEPT) {
        const eldest = this.#untouched('value', values)
        const gone = eldest && this.memory.value(key, eldest.digest)
        const last = gone?.seen.at(-1)
        if (eldest === undefined || last === undefined) {
          this.loseValue(key, moment)
          return
        }
        this.loseValue(key, last)
        this.setValue(key, eldest.digest, null)
        this.#grow(table, -1)
      }
      this.#grow(table, 1)
    }
    this.setValue(key, digest, seenAgain(known, moment))
  }

  bucket(key: SumKey, start: number): Bucket | undefined {
    return this.#read('amount', { ...key, start }, () => this.memory.bucket(key, start))
  }

  setBucket(key: SumKey, start: number, value: Bucket): void {
    this.#put({ kind: 'amount', key: { ...key, start }, value })
  }

  addAmount(wanted: SumKey, moment: Moment, amount: Amount, horizon: number): void {
    const before = moment.at - horizon
    const key = this.#withRoom(wanted, before)
    const start = bucketOf(moment.at, key.width)
    this.setBucket(key, start, plus(this.bucket(key, start), amount))
    for (const old of this.memory.bucketsBefore(key, bucketOf(before, key.width))) {
      this.#put({ kind: 'amount', key: { ...key, start: old }, value: null })
    }
  }

  flags(): SessionFlags {
    const change = this.#changes.get(idOf('flag', {}))
    return change?.kind === 'flag' ? change.value : this.memory.flags()
  }

  setFlags(flags: Partial<SessionFlags>): void {
    const before = this.flags()
    const value = { ...before, ...flags }
    if (JSON.stringify(before) !== JSON.stringify(value))
      this.#put({ kind: 'flag', key: {}, value })
  }

  origins(digest: string, type: string | null): OriginFact {
    const read = () => this.memory.origins(digest, type)
    return this.#read('origin', { digest, type }, read) ?? NOTHING_KNOWN
  }

  /** INVARIANT: what was let go of is remembered as having been there, wherever that refuses more. */
  setOrigin(key: OriginKey, value: OriginFact): void {
    const table = this.memory.originsLike(key.type, value)
    const isNew = !table.has(key) && !this.#changes.has(idOf('origin', key))
    this.#put({ kind: 'origin', key, value })
    if (!isNew) return
    const name = `origin ${tableOfOrigin(key.type, value)}`
    const isFull = this.#size(name, table) >= ORIGINS_KEPT
    const eldest = isFull ? this.#untouched('origin', table) : undefined
    if (eldest !== undefined) {
      const gone = this.memory.origins(eldest.digest, eldest.type)
      this.#put({ kind: 'origin', key: eldest, value: null })
      this.#grow(name, -1)
      if (gone.seen || gone.used) this.setFlags({ forgotSeen: true })
      if (gone.weak || gone.laundered) this.setFlags({ forgotPassed: true })
    }
    this.#grow(name, 1)
  }

  /** INVARIANT: groups for which there is no room share one state, which counts against each. */
  #withRoom<T extends ValuesKey | SumKey>(key: T, before: number): T {
    if (isAlone(key.scope, key.group) || isShared(key)) return key
    const table = this.memory.tallies(key)
    const entry = `entry ${JSON.stringify(key)}`
    if (table.has || this.#growth.has(entry)) return key
    const { scope, label, field } = key
    const name = `tally ${scope} ${label} ${field} ${specOf(key.group)} ${'width' in key}`
    if (this.#size(name, table) >= TALLIES_KEPT) {
      const outdated = this.#growth.has(`${name} cleared`) ? [] : table.outdated(before)
      if (outdated.length === 0) return sharedOf(key)
      for (const change of outdated) this.#put(change)
      this.#grow(`${name} cleared`, 1)
      this.#grow(name, -1)
    }
    this.#grow(entry, 1)
    this.#grow(name, 1)
    return key
  }

  #size(table: string, { size }: { readonly size: number }): number {
    return size + (this.#growth.get(table) ?? 0)
  }

  #grow(table: string, by: number): void {
    this.#growth.set(table, (this.#growth.get(table) ?? 0) + by)
  }

  #read<T>(kind: Change['kind'], key: object, read: () => T): T | undefined {
    const change = this.#changes.get(idOf(kind, key))
    return change === undefined ? read() : ((change.value ?? undefined) as T | undefined)
  }

  #put(change: Change): void {
    this.#changes.set(idOf(change.kind, change.key), change)
  }

  /** What this very step brought does not make room for itself. */
  #untouched<T extends object>(kind: Change['kind'], table: Eldest<T>): T | undefined {
    for (const one of table.eldest()) {
      if (!this.#changes.has(idOf(kind, one))) return one
    }
    return undefined
  }
}

/** The name of a change: the same for the same thing, whatever made its key. */
export function idOf(kind: Change['kind'], key: object): string {
  const parts = key as Partial<SumKey & OriginKey & { start: number }>
  switch (kind) {
    case 'label':
      return JSON.stringify([parts.scope, parts.label, parts.key, parts.group])
    case 'value':
      return JSON.stringify([...seriesOf(parts), parts.digest])
    case 'amount':
      return JSON.stringify([...seriesOf(parts), parts.width, parts.start])
    case 'origin':
      return JSON.stringify([parts.digest, parts.type])
    case 'flag':
      return 'flags'
  }
}

const seriesOf = ({ scope, label, key, group, field }: Partial<ValuesKey>) => [
  scope,
  label,
  key,
  group,
  field,
]

/** The fact that all groups of a table share. */
export function sharedOf<T extends FactKey>(key: T): T {
  const spec = specOf(key.group)
  return {
    ...key,
    key: key.scope === 'subject' ? '' : OVERFLOW_KEY,
    group: spec === '' ? '' : `${spec}=*`,
  }
}

export const isShared = ({ scope, key, group }: FactKey): boolean =>
  scope === 'subject' ? group.endsWith('=*') : key === OVERFLOW_KEY

/** Bits that forbid are kept apart from those that permit, so that neither makes room for the other. */
export function tableOfOrigin(type: string | null, fact: OriginFact): 'kind' | 'passed' | 'seen' {
  return type !== null ? 'kind' : fact.weak || fact.laundered ? 'passed' : 'seen'
}
