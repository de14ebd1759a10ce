import { actorKeyOf } from '../question/history-keys.ts'
import type { Actor } from '../pdp/evaluation.ts'
import type { EndCause } from '../upstream/credentials/context.ts'
import type { CredentialKind, ServerTaskEvent } from '../storage/credential-kinds.ts'
import type { BegunTask } from '../upstream/credentials/running-tasks-protocol.ts'

/** Of one actor. Each is a reading of D1 whenever a row moves; whoever has more loses its own oldest. */
export const MOST_RUNNING = 64
/** Longer is not looked at, whatever the server says; and what it says is no way to get rid of the look. */
const LONGEST_MS = 24 * 60 * 60_000
const SHORTEST_MS = 60_000
/** Of one actor at one server. Where more wait to be told than it is told, the oldest are given up. */
export const MOST_ENDING = 1_024

/** A task of a server as it is kept. Times are epoch milliseconds. */
export interface RunningTask {
  readonly id: string
  readonly state: 'running' | 'ending'
  readonly begun: BegunTask
  /** Of one that is ending. */
  readonly endedAt: number
  readonly attempts: number
  readonly nextAttemptAt: number
}

export interface TaskEventDetails {
  readonly event: ServerTaskEvent
  readonly cause?: EndCause
  readonly carried?: CredentialKind | null
  readonly status?: number | null
  readonly attempts?: number
  readonly detail?: string
}

/** Tasks that run on at servers for one subject, and what became of them until the log knows. */
export class RunningTasks {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage

  /** In a storage that `CredentialsStore` has brought up to date. */
  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#sql = storage.sql
  }

  /**
   * INVARIANT: by what a task was started first, by that it ends: a server that gives its name once more
   * does not move it to another ground, and keeps it for as long as it says last.
   */
  add(begun: BegunTask, now: number): void {
    const { context, taskId, ttlMs } = begun
    // A server may count in fractions.
    const keptMs = Math.ceil(Math.min(Math.max(ttlMs ?? LONGEST_MS, SHORTEST_MS), LONGEST_MS))
    const actor = actorKeyOf(context.actor)
    this.#storage.transactionSync(() => {
      this.#sql.exec(
        `INSERT INTO running_tasks (id, actor, server, task, begun, forget_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (actor, server, task) DO UPDATE SET forget_at = max(forget_at, excluded.forget_at)`,
        crypto.randomUUID(),
        actor,
        context.server,
        taskId,
        JSON.stringify(begun),
        now + keptMs,
      )
      const surplus = this.#sql
        .exec<Row>(
          `${SELECT} WHERE actor = ? AND state = 'running' ORDER BY rowid DESC LIMIT -1 OFFSET ?`,
          actor,
          MOST_RUNNING,
        )
        .toArray()
      for (const row of surplus) this.#endSurplus(taskOf(row), now)
    })
  }

  /** INVARIANT: only what the same actor left at the same server makes room. */
  #endSurplus(task: RunningTask, now: number): void {
    this.end(task, 'too_many', now)
    const { context } = task.begun
    const given = this.#sql
      .exec<Row>(
        `${SELECT} WHERE actor = ? AND server = ? AND state = 'ending' ORDER BY rowid DESC LIMIT -1 OFFSET ?`,
        actorKeyOf(context.actor),
        context.server,
        MOST_ENDING,
      )
      .toArray()
    for (const row of given) {
      const detail = 'too many of its server wait to be told'
      this.finish(taskOf(row), { event: 'lapsed', attempts: row.attempts, detail }, now)
    }
  }

  /** Without those whose time is over: they are looked at no more. */
  running(now: number): readonly RunningTask[] {
    this.#sql.exec("DELETE FROM running_tasks WHERE state = 'running' AND forget_at <= ?", now)
    return this.#sql
      .exec<Row>(`${SELECT} WHERE state = 'running' ORDER BY rowid`)
      .toArray()
      .map(taskOf)
  }

  /** Servers that have to be told of something by now. `isNew`: of something for the first time. */
  untold(now: number): readonly { readonly server: string; readonly isNew: boolean }[] {
    return this.#sql
      .exec<{ server: string; attempts: number }>(
        "SELECT server, min(attempts) AS attempts FROM running_tasks WHERE state = 'ending' AND next_attempt_at <= ? GROUP BY server",
        now,
      )
      .toArray()
      .map(({ server, attempts }) => ({ server, isNew: attempts === 0 }))
  }

  /** What this server has to be told by now, and was told least often. */
  nextUntold(server: string, now: number): RunningTask | null {
    const [row] = this.#sql
      .exec<Row>(
        `${SELECT} WHERE server = ? AND state = 'ending' AND next_attempt_at <= ? ORDER BY attempts, next_attempt_at, rowid LIMIT 1`,
        server,
        now,
      )
      .toArray()
    return row === undefined ? null : taskOf(row)
  }

  /** The end of the next task of ours that something runs under, as far as a clock can say it; null: none runs. */
  nextEnd(): number | null {
    const [row] = this.#sql
      .exec<{ at: number | null; count: number }>(
        "SELECT min(json_extract(begun, '$.context.task.expiresAt')) AS at, count(*) AS count FROM running_tasks WHERE state = 'running'",
      )
      .toArray()
    return row === undefined || row.count === 0 ? null : (row.at ?? Infinity)
  }

  /** When a server has to be told of something; null: of nothing. */
  nextAttempt(): number | null {
    return (
      this.#sql
        .exec<{
          at: number | null
        }>("SELECT min(next_attempt_at) AS at FROM running_tasks WHERE state = 'ending'")
        .toArray()[0]?.at ?? null
    )
  }

  has(id: string): boolean {
    return this.#sql.exec('SELECT 1 FROM running_tasks WHERE id = ?', id).toArray().length > 0
  }

  /** Its ground is gone: from here on its server is told. */
  end(task: RunningTask, cause: EndCause, now: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec(
        "UPDATE running_tasks SET state = 'ending', ended_at = ? WHERE id = ?",
        now,
        task.id,
      )
      this.#tell(task, { event: 'ended', cause }, now)
    })
  }

  /** Durable before the message leaves: whatever dies on the way, it is tried again. */
  trying(id: string, nextAttemptAt: number): void {
    this.#sql.exec(
      'UPDATE running_tasks SET attempts = attempts + 1, next_attempt_at = ? WHERE id = ?',
      nextAttemptAt,
      id,
    )
  }

  tryLater(id: string, nextAttemptAt: number): void {
    this.#sql.exec('UPDATE running_tasks SET next_attempt_at = ? WHERE id = ?', nextAttemptAt, id)
  }

  /** Nothing is said to this server before that. */
  leaveAlone(server: string, until: number): void {
    this.#sql.exec(
      "UPDATE running_tasks SET next_attempt_at = ?1 WHERE server = ?2 AND state = 'ending' AND next_attempt_at < ?1",
      until,
      server,
    )
  }

  /** Nothing is left to do for it. */
  finish(task: RunningTask, details: TaskEventDetails, now: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec('DELETE FROM running_tasks WHERE id = ?', task.id)
      this.#tell(task, details, now)
    })
  }

  failed(task: RunningTask, details: TaskEventDetails, now: number): void {
    this.#tell(task, details, now)
  }

  /** What this actor knows by that name at that server ran to its end. */
  over(actor: Actor, server: string, taskId: string, now: number): void {
    const [row] = this.#sql
      .exec<Row>(
        `${SELECT} WHERE actor = ? AND server = ? AND task = ?`,
        actorKeyOf(actor),
        server,
        taskId,
      )
      .toArray()
    if (row === undefined) return
    // Of what was to be ended the log gets to know how it came out.
    if (row.state === 'running') this.#sql.exec('DELETE FROM running_tasks WHERE id = ?', row.id)
    else this.finish(taskOf(row), { event: 'over', attempts: row.attempts }, now)
  }

  waiting(limit: number): readonly { readonly id: number; readonly row: string }[] {
    return this.#sql
      .exec<{
        id: number
        row: string
      }>('SELECT id, row FROM task_events ORDER BY id LIMIT ?', limit)
      .toArray()
  }

  /** The log has them. */
  told(last: number): void {
    this.#sql.exec('DELETE FROM task_events WHERE id <= ?', last)
  }

  #tell({ id, begun }: RunningTask, details: TaskEventDetails, now: number): void {
    const { context, decision, taskId } = begun
    const { tenant, issuer, subject, client, agent } = context.actor
    const row = {
      id: crypto.randomUUID(),
      tenant,
      running: id,
      server: context.server,
      server_task: taskId,
      event: details.event,
      cause: details.cause ?? null,
      subject_issuer: issuer,
      subject,
      client,
      agent,
      tool: context.tool,
      task: context.task?.id ?? null,
      decision,
      carried: details.carried ?? null,
      status: details.status ?? null,
      attempts: details.attempts ?? 0,
      detail: details.detail ?? '',
      happened_at: now,
    }
    this.#sql.exec('INSERT INTO task_events (row) VALUES (?)', JSON.stringify(row))
  }
}

const SELECT = 'SELECT id, state, begun, ended_at, attempts, next_attempt_at FROM running_tasks'

type Row = {
  id: string
  state: 'running' | 'ending'
  begun: string
  ended_at: number
  attempts: number
  next_attempt_at: number
}

const taskOf = (row: Row): RunningTask => ({
  id: row.id,
  state: row.state,
  begun: JSON.parse(row.begun) as BegunTask,
  endedAt: row.ended_at,
  attempts: row.attempts,
  nextAttemptAt: row.next_attempt_at,
})
