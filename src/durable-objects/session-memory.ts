import { FRESH } from '../pdp/provenance/flags.ts'
import { NOTHING_KNOWN, type OriginFact, type OriginFlag } from '../pdp/provenance/origin.ts'
import { idOf } from '../pdp/sequence/draft.ts'
import type { Change } from '../pdp/sequence/memory.ts'
import { MemoryInProcess } from '../pdp/sequence/memory-in-process.ts'

/** One bit each, in this order for ever: sessions that slept for a year still hold them. */
const BITS: readonly OriginFlag[] = [
  'typed',
  'typedT',
  'claimed',
  'own',
  'field',
  'fieldT',
  'internal',
  'mention',
  'seen',
  'used',
  'weak',
  'laundered',
  'fetched',
]
/** What hangs on the rows that the tool had when the value came: its labels, and its `tool_origins`. */
const BY_ROWS: readonly OriginFlag[] = ['typed', 'typedT', 'claimed', 'fieldT', 'own', 'internal']

const BY_ROWS_BITS = BITS.reduce(
  (bits, flag, at) => (BY_ROWS.includes(flag) ? bits | (1 << at) : bits),
  0,
)

type MemoryRow = { kind: string; key: string; value: string }

/** What was kept, read once when the object wakes: as much as the core's bounds allow, and no more. */
export function loadMemory(sql: SqlStorage): MemoryInProcess {
  const changes: Change[] = []
  // All others say by themselves when they were touched.
  const origins = "SELECT kind, key, value FROM memory WHERE kind = 'origin' ORDER BY touched, id"
  const others = "SELECT kind, key, value FROM memory WHERE kind <> 'origin'"
  for (const query of [origins, others]) {
    for (const { kind, key, value } of sql.exec<MemoryRow>(query)) {
      changes.push(changeOf(kind, key, value))
    }
  }
  return MemoryInProcess.restored(changes)
}

/** To be called inside a step's transaction. */
export function storeChanges(sql: SqlStorage, changes: readonly Change[], touched: number): void {
  for (const change of changes) {
    const { kind, key, value } = change
    const id = idOf(kind, key)
    if (value === null) {
      sql.exec('DELETE FROM memory WHERE kind = ? AND id = ?', kind, id)
    } else {
      sql.exec(
        'INSERT INTO memory (kind, id, touched, key, value) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET touched = excluded.touched, value = excluded.value',
        kind,
        id,
        touched,
        JSON.stringify(key),
        kind === 'origin' ? String(bitsOf(change.value as OriginFact)) : JSON.stringify(value),
      )
    }
  }
}

/** Labels, values and sums, which are told anew from the log. */
export const clearFacts = (sql: SqlStorage): void =>
  void sql.exec("DELETE FROM memory WHERE kind IN ('label', 'value', 'amount')")

/**
 * INVARIANT: where the rows of tools change, no value keeps an origin that hangs on what they said of
 * its tool when it came.
 */
export const distrustOrigins = (sql: SqlStorage): void =>
  void sql.exec(
    "UPDATE memory SET value = CAST(CAST(value AS INTEGER) & ~? AS TEXT) WHERE kind = 'origin' AND CAST(value AS INTEGER) & ? <> 0",
    BY_ROWS_BITS,
    BY_ROWS_BITS,
  )

function changeOf(kind: string, key: string, value: string): Change {
  const parsed: unknown = JSON.parse(value)
  return {
    kind,
    key: JSON.parse(key) as object,
    value:
      kind === 'origin'
        ? factOf(parsed as number)
        : kind === 'flag'
          ? { ...FRESH, ...(parsed as object) }
          : parsed,
  } as Change
}

const bitsOf = (fact: OriginFact): number =>
  BITS.reduce((bits, flag, at) => (fact[flag] ? bits | (1 << at) : bits), 0)

/** The same few combinations come again and again. */
const facts = new Map<number, OriginFact>([[0, NOTHING_KNOWN]])

function factOf(bits: number): OriginFact {
  const known = facts.get(bits)
  if (known !== undefined) return known
  const fact: OriginFact = {
    ...NOTHING_KNOWN,
    ...Object.fromEntries(BITS.map((flag, at) => [flag, (bits & (1 << at)) !== 0])),
  }
  facts.set(bits, fact)
  return fact
}

/** A memory that tells in the end all that it was told, each thing once. */
export class RecordedMemory extends MemoryInProcess {
  readonly #last = new Map<string, Change>()

  override apply(changes: readonly Change[]): void {
    super.apply(changes)
    for (const change of changes) {
      const name = `${change.kind} ${idOf(change.kind, change.key)}`
      // In the order in which they were touched last.
      this.#last.delete(name)
      if (change.value !== null) this.#last.set(name, change)
    }
  }

  everything(): Change[] {
    return [...this.#last.values()]
  }
}
