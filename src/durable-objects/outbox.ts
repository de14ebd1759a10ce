import type { DecisionColumns, OutcomeState } from './session-protocol.ts'

/** A row of `decisions` (migrations/decisions/0001_create_decisions.sql), still without `shipped_at`. */
export interface DecisionRow extends DecisionColumns {
  readonly id: string
  readonly sequence: number
  readonly decided_at: number
  readonly decision: 'allow' | 'deny' | 'approve'
  readonly reason: string
  readonly would_be: string | null
  /** JSON text. */
  readonly record: string
}

export interface OutcomeRow {
  readonly decision: string
  readonly tenant: string
  readonly state: OutcomeState
  readonly detail: string
  readonly ended_at: number
}

/** Well below D1's limit for one bound value, which is counted in bytes. */
const BATCH_BYTES = 800_000
const BATCH_ROWS = 200
const FIRST_SHIPMENT_MS = 1_000
const RETRY_MS = 5_000

/**
 * Records wait here, durable with the step that made them, until the decision log has them. Shipping
 * twice is harmless: the log takes each id once.
 */
export class Outbox {
  readonly #storage: DurableObjectStorage
  readonly #log: D1Database
  #alarmSet = false
  /** Rows up to here are on their way: what is added to them now would be lost. */
  #leaving = 0

  constructor(storage: DurableObjectStorage, log: D1Database) {
    this.#storage = storage
    this.#log = log
  }

  /** To be called inside the step's own transaction. Returns the id that `repeat` takes. */
  add(sql: SqlStorage, kind: 'decision' | 'outcome', row: DecisionRow | OutcomeRow): number {
    const text = JSON.stringify(row)
    return sql
      .exec<{ id: number }>('INSERT INTO outbox (kind, row) VALUES (?, ?) RETURNING id', kind, text)
      .one().id
  }

  /** Counts one more of the same; false when that record has left already. */
  repeat(id: number): boolean {
    if (id <= this.#leaving) return false
    const { rowsWritten } = this.#storage.sql.exec(
      'UPDATE outbox SET repeats = repeats + 1 WHERE id = ?',
      id,
    )
    return rowsWritten > 0
  }

  /** Makes sure that somebody will ship. The alarm is durable with the rows it is for. */
  async schedule(now: number, delay = FIRST_SHIPMENT_MS): Promise<void> {
    if (this.#alarmSet) return
    await this.#storage.setAlarm(now + delay)
    // Not before: an alarm that could not be set must be set by the next step.
    this.#alarmSet = true
  }

  /**
   * Ships what waits. INVARIANT: a row is deleted only after the log acknowledged it, and a failed
   * shipment leaves an alarm of our own: the platform stops repeating alarms that throw.
   */
  async ship(now: () => number): Promise<void> {
    this.#alarmSet = false
    try {
      while (await this.#shipBatch(now())) {
        // one batch after the other, so that a long backlog never builds one huge statement
      }
    } catch (error) {
      console.error('decision log did not take a batch, will try again', String(error))
      await this.schedule(now(), RETRY_MS)
    }
  }

  async #shipBatch(now: number): Promise<boolean> {
    const batch = this.#take()
    const last = batch[batch.length - 1]
    if (last === undefined) return false
    this.#leaving = last.id
    const shipped = (kind: string) =>
      `[${batch
        .filter((row) => row.kind === kind)
        .map((row) => row.text)
        .join(',')}]`
    await this.#log.batch([
      this.#log
        .prepare(
          `INSERT INTO decisions (id, tenant, session, sequence, decided_at, decision, reason, would_be, issuer, subject, client, agent, server, method, tool, record, shipped_at)
           SELECT value ->> 'id', value ->> 'tenant', value ->> 'session', value ->> 'sequence', value ->> 'decided_at', value ->> 'decision', value ->> 'reason', value ->> 'would_be', value ->> 'issuer', value ->> 'subject', value ->> 'client', value ->> 'agent', value ->> 'server', value ->> 'method', value ->> 'tool', value ->> 'record', ?2
           FROM json_each(?1) WHERE true ON CONFLICT (id) DO NOTHING`,
        )
        .bind(shipped('decision'), now),
      this.#log
        .prepare(
          `INSERT INTO outcomes (decision, tenant, state, detail, ended_at)
           SELECT value ->> 'decision', value ->> 'tenant', value ->> 'state', value ->> 'detail', value ->> 'ended_at'
           FROM json_each(?1) WHERE true ON CONFLICT (decision) DO NOTHING`,
        )
        .bind(shipped('outcome')),
    ])
    this.#storage.sql.exec('DELETE FROM outbox WHERE id <= ?', last.id)
    return true
  }

  /** Row by row: a backlog may be larger than memory. */
  #take(): { readonly id: number; readonly kind: string; readonly text: string }[] {
    const batch: { readonly id: number; readonly kind: string; readonly text: string }[] = []
    let bytes = 0
    const rows = this.#storage.sql.exec<OutboxRow>(
      'SELECT id, kind, row, repeats FROM outbox ORDER BY id LIMIT ?',
      BATCH_ROWS,
    )
    for (const { id, kind, row, repeats } of rows) {
      const text = withRepeats(row, repeats)
      bytes += new TextEncoder().encode(text).byteLength
      if (bytes > BATCH_BYTES && batch.length > 0) break
      batch.push({ id, kind, text })
    }
    return batch
  }
}

type OutboxRow = { id: number; kind: string; row: string; repeats: number }

/** The repetitions of a refusal become part of its record on the way out. */
function withRepeats(text: string, repeats: number): string {
  if (repeats === 0) return text
  const row = JSON.parse(text) as DecisionRow
  return JSON.stringify({ ...row, record: `${row.record.slice(0, -1)},"repeats":${repeats}}` })
}
