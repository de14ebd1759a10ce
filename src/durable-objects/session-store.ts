import type { FactKey, FactView, LabelFact, Scope } from '../pdp/sequence/facts.ts'
import type { FactChange } from '../pdp/sequence/advance.ts'
import type { AdmitAnswer, OutcomeState } from './session-protocol.ts'
import { migrate } from './session-schema.ts'

export interface StoredEvent {
  readonly sequence: number
  readonly at: number
  readonly actorKey: string
  readonly labels: readonly string[]
  readonly state: OutcomeState | 'pending' | 'denied'
  readonly answer: AdmitAnswer
}

export type NewEvent = StoredEvent & { readonly decision: string }

type FactRow = { scope: Scope; key: string; label: string; fact: string }

type EventRow = {
  sequence: number
  at: number
  actor: string
  labels: string
  state: StoredEvent['state']
  answer: string
}

/**
 * A session's rows, with its facts held in memory as well: they are few (one per label and scope)
 * and every step reads some. Each step writes, so an object that was replaced while it slept learns
 * of it before its answer leaves.
 */
export class SessionStore implements FactView {
  readonly #storage: DurableObjectStorage
  readonly #facts = new Map<string, LabelFact>()
  #lastSequence: number
  #lastAt: number

  constructor(storage: DurableObjectStorage) {
    migrate(storage)
    this.#storage = storage
    const rows = storage.sql.exec<FactRow>('SELECT scope, key, label, fact FROM facts')
    for (const { fact, ...key } of rows) this.#facts.set(factId(key), JSON.parse(fact) as LabelFact)
    const last = storage.sql
      .exec<{ sequence: number; at: number }>(
        'SELECT sequence, at FROM events ORDER BY sequence DESC LIMIT 1',
      )
      .toArray()[0]
    this.#lastSequence = last?.sequence ?? 0
    this.#lastAt = last?.at ?? 0
  }

  get(key: FactKey): LabelFact | undefined {
    return this.#facts.get(factId(key))
  }

  /** The latest place that was given out. */
  get lastSequence(): number {
    return this.#lastSequence
  }

  /** The next place in the order. The session's clock never runs backwards. */
  nextMoment(now: number): { readonly sequence: number; readonly at: number } {
    return { sequence: this.#lastSequence + 1, at: Math.max(now, this.#lastAt) }
  }

  event(decision: string): StoredEvent | null {
    const row = this.#storage.sql
      .exec<EventRow>(
        'SELECT sequence, at, actor, labels, state, answer FROM events WHERE decision = ?',
        decision,
      )
      .toArray()[0]
    return row === undefined
      ? null
      : {
          sequence: row.sequence,
          at: row.at,
          actorKey: row.actor,
          labels: JSON.parse(row.labels) as string[],
          state: row.state,
          answer: JSON.parse(row.answer) as AdmitAnswer,
        }
  }

  /** To be called inside a step's transaction; false where the call was settled before. */
  settle(sql: SqlStorage, decision: string, state: OutcomeState): boolean {
    const { rowsWritten } = sql.exec(
      "UPDATE events SET state = ? WHERE decision = ? AND state = 'pending'",
      state,
      decision,
    )
    return rowsWritten > 0
  }

  /** INVARIANT: all of a step is stored, or none of it; memory follows only what was stored. */
  atomically(step: Changes): void {
    this.#storage.transactionSync(() => {
      const { sql } = this.#storage
      if (step.event !== undefined) {
        const { sequence, decision, at, actorKey, labels, state, answer } = step.event
        sql.exec(
          'INSERT INTO events (sequence, decision, at, actor, labels, state, answer) VALUES (?, ?, ?, ?, ?, ?, ?)',
          sequence,
          decision,
          at,
          actorKey,
          JSON.stringify(labels),
          state,
          JSON.stringify(answer),
        )
      }
      for (const { key, fact } of step.facts ?? []) {
        sql.exec(
          'INSERT INTO facts (scope, key, label, fact) VALUES (?, ?, ?, ?) ON CONFLICT (scope, key, label) DO UPDATE SET fact = excluded.fact',
          key.scope,
          key.key,
          key.label,
          JSON.stringify(fact),
        )
      }
      step.also?.(sql)
    })
    if (step.event !== undefined) {
      this.#lastSequence = step.event.sequence
      this.#lastAt = step.event.at
    }
    for (const { key, fact } of step.facts ?? []) this.#facts.set(factId(key), fact)
  }
}

export interface Changes {
  readonly event?: NewEvent
  readonly facts?: readonly FactChange[]
  /** What else belongs into the same transaction: the outbox. */
  readonly also?: (sql: SqlStorage) => void
}

const factId = ({ scope, key, label }: FactKey): string => `${scope} ${label} ${key}`
