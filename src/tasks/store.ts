import { inTime, LATE } from '../in-time.ts'
import { err, ok, type Result } from '../result.ts'
import type { D1Reader } from '../storage/freshness.ts'
import type { PolicyStore } from '../storage/policy-store.ts'
import {
  AUTHORITY,
  AUTHORITY_PARAMETERS,
  authorityParameters,
  readAuthority,
  type Authority,
} from './authority.ts'
import type { TaskCaller } from './caller.ts'
import type { TaskActor } from './opener.ts'
import { ROW_COLUMNS, type TaskRow } from './row.ts'
import { refusedWith, UNDECIDED, type TaskDoorRefusal } from './refusal.ts'

/** As long as a reading may take: whoever waits longer cannot tell any more what was written. */
const WRITE_BUDGET_MS = 1_500

type Value = string | number | null

/** What `/tasks` reads and writes. Every reading is from the primary. */
export class TaskStore {
  readonly #database: D1Database
  readonly #policies: PolicyStore

  constructor(database: D1Database, policies: PolicyStore) {
    this.#database = database
    this.#policies = policies
  }

  /**
   * The rights of a caller over an actor's tasks.
   *
   * INVARIANT: the caller is judged once more after they were read. What is written names them, so it
   * is written by the state that both were judged by, or not at all.
   */
  async authority(
    caller: TaskCaller,
    actor: TaskActor,
  ): Promise<Result<Authority, TaskDoorRefusal>> {
    const read = await this.#policies.read((database) => readAuthority(database, caller, actor))
    if (!read.ok || read.value === null) return err(UNDECIDED)
    const holds = await caller.stillHolds()
    return holds.ok ? ok(read.value) : err(refusedWith(holds.error))
  }

  find(tenant: string, id: string): Promise<Result<TaskRow | null, TaskDoorRefusal>> {
    return this.#row((database) =>
      database
        .prepare(`SELECT ${ROW_COLUMNS.join(', ')} FROM tasks WHERE tenant = ?1 AND id = ?2`)
        .bind(tenant, id),
    )
  }

  opened(tenant: string, requestKey: string): Promise<Result<TaskRow | null, TaskDoorRefusal>> {
    return this.#row((database) =>
      database
        .prepare(
          `SELECT ${ROW_COLUMNS.join(', ')} FROM tasks WHERE tenant = ?1 AND request_key = ?2`,
        )
        .bind(tenant, requestKey),
    )
  }

  /** `moved`: the rights that were judged are not those any more. `unknown`: it may be written. */
  insert(
    caller: TaskCaller,
    actor: TaskActor,
    authority: Authority,
    row: Readonly<Record<string, Value>>,
  ): Promise<Written> {
    const names = Object.keys(row)
    const places = names.map((_, at) => `?${AUTHORITY_PARAMETERS + 2 + at}`)
    return this.#write(
      `INSERT INTO tasks (${names.join(', ')}) SELECT ${places.join(', ')} WHERE ${AUTHORITY} = ?${AUTHORITY_PARAMETERS + 1}`,
      [...authorityParameters(caller, actor), authority.text, ...Object.values(row)],
    )
  }

  close(
    caller: TaskCaller,
    actor: TaskActor,
    authority: Authority,
    end: { readonly id: string; readonly at: number; readonly by: string },
  ): Promise<Written> {
    const [id, at, by] = [2, 3, 4].map((place) => `?${AUTHORITY_PARAMETERS + place}`)
    return this.#write(
      `UPDATE tasks SET closed_at = ${at}, closed_by = ${by}
       WHERE tenant = ?1 AND id = ${id} AND closed_at IS NULL AND ${AUTHORITY} = ?${AUTHORITY_PARAMETERS + 1}`,
      [...authorityParameters(caller, actor), authority.text, end.id, end.at, end.by],
    )
  }

  /** A task that only tokens declare ends by a revocation: there is no row to be closed. */
  revoke(
    caller: TaskCaller,
    actor: TaskActor,
    authority: Authority,
    end: { readonly id: string; readonly issuer: string; readonly at: number; readonly by: string },
  ): Promise<Written> {
    const [id, issuer, at, by] = [2, 3, 4, 5].map((place) => `?${AUTHORITY_PARAMETERS + place}`)
    return this.#write(
      `INSERT INTO revocations (tenant, kind, id, issuer, revoked_by, revoked_at)
       SELECT ?1, 'task', ${id}, ${issuer}, ${by}, ${at} WHERE ${AUTHORITY} = ?${AUTHORITY_PARAMETERS + 1}
       ON CONFLICT DO NOTHING`,
      [...authorityParameters(caller, actor), authority.text, end.id, end.issuer, end.at, end.by],
    )
  }

  async isRevoked(
    tenant: string,
    id: string,
    issuer: string,
  ): Promise<Result<boolean, TaskDoorRefusal>> {
    const read = await this.#policies.read((database) =>
      database
        .prepare(
          "SELECT 1 AS found FROM revocations WHERE tenant = ?1 AND kind = 'task' AND id = ?2 AND issuer IN ('*', ?3)",
        )
        .bind(tenant, id, issuer)
        .first(),
    )
    return read.ok ? ok(read.value !== null) : err(UNDECIDED)
  }

  async #row(
    prepare: (database: D1Reader) => D1PreparedStatement,
  ): Promise<Result<TaskRow | null, TaskDoorRefusal>> {
    const read = await this.#policies.read((database) => prepare(database).first<TaskRow>())
    return read.ok ? ok(read.value) : err(UNDECIDED)
  }

  /** Once: what becomes of a write that failed is read, never guessed. */
  async #write(statement: string, values: readonly Value[]): Promise<Written> {
    try {
      const writing = this.#database
        .prepare(statement)
        .bind(...values)
        .run()
      const written = await inTime(writing, WRITE_BUDGET_MS, LATE)
      if (written === LATE) return 'unknown'
      return written.meta.changes > 0 ? 'written' : 'moved'
    } catch (error) {
      console.warn('writing a task failed', String(error))
      return 'unknown'
    }
  }
}

export type Written = 'written' | 'moved' | 'unknown'
