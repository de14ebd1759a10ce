import type { Change } from '../pdp/sequence/memory.ts'
import type { MemoryInProcess } from '../pdp/sequence/memory-in-process.ts'
import type { Observation } from '../pdp/sequence/step.ts'
import { Digests, newDigestKey } from './digests.ts'
import { EventLog, type StoredEvent } from './event-log.ts'
import { FoldedPast } from './folded-events.ts'
import { loadMemory, storeChanges } from './session-memory.ts'
import { migrate } from './session-schema.ts'
import { Settings } from './settings.ts'

export interface Step {
  readonly event?: StoredEvent
  readonly seen?: { readonly event: StoredEvent; readonly observation: Observation }
  readonly changes?: readonly Change[]
  /** What else belongs into the same transaction: the outbox. */
  readonly also?: (sql: SqlStorage) => void
}

/**
 * A session's rows: its log of calls, and what the rules remember of them, which is held in memory as
 * well. Each step writes, so an object that was replaced while it slept learns of it before its answer
 * leaves.
 */
export class SessionStore {
  readonly log: EventLog
  readonly folded: FoldedPast
  readonly settings: Settings
  readonly digests: Digests
  readonly #storage: DurableObjectStorage
  #memory: MemoryInProcess

  constructor(storage: DurableObjectStorage) {
    migrate(storage)
    this.#storage = storage
    this.settings = new Settings(storage.sql)
    this.log = new EventLog(storage.sql)
    this.folded = new FoldedPast(storage.sql)
    this.digests = new Digests(this.#digestKey())
    this.#memory = loadMemory(storage.sql)
  }

  get memory(): MemoryInProcess {
    return this.#memory
  }

  /** INVARIANT: all of a step is stored, or none of it; memory follows only what was stored. */
  atomically(step: Step): void {
    const { event, seen, changes = [] } = step
    this.#transaction((sql) => {
      if (event !== undefined) this.log.add(event)
      if (seen !== undefined) this.log.observe(seen.event, seen.observation)
      storeChanges(sql, changes, event?.now.sequence ?? this.log.lastSequence)
      step.also?.(sql)
    })
    if (event !== undefined) this.log.added(event)
    this.#memory.apply(changes)
  }

  /** A memory in the place of the one that was: all of it, or none. */
  replace(does: (sql: SqlStorage) => void): void {
    this.#transaction(does)
    this.#memory = loadMemory(this.#storage.sql)
  }

  /** One bounded part of it; true: there may be more to fold. */
  fold(now: number): boolean {
    let isMore = false
    this.#transaction(() => {
      isMore = this.folded.fold(this.log, now)
    })
    return isMore
  }

  #transaction(does: (sql: SqlStorage) => void): void {
    try {
      this.#storage.transactionSync(() => does(this.#storage.sql))
    } catch (fault) {
      this.settings.reload()
      throw fault
    }
  }

  /** Drawn once, and kept: digests of another key would find nothing that was stored. */
  #digestKey(): string {
    const known = this.settings.get<string>(DIGEST_KEY)
    if (known !== undefined) return known
    const key = newDigestKey()
    this.#storage.transactionSync(() => this.settings.set(DIGEST_KEY, key))
    return key
  }
}

const DIGEST_KEY = 'digest_key'
