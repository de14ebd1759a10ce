import { actorKeyOf } from '../pep/question.ts'
import type { Actor } from '../pdp/evaluation.ts'
import type { EndCause } from '../upstream/credentials/context.ts'
import type { CredentialKind, ServerTaskEvent } from '../upstream/credentials/kinds.ts'
import type { BegunTask } from './running-tasks-protocol.ts'

/** Of one actor. Each is a reading of D1 whenever a row moves; whoever has more loses its own oldest. */
export const MOST_RUNNING = 64
/** Longer is not looked at, whatever the server says; and what it says is no way to get rid of the look. */
const LONGEST_MS = 24 * 60 * 60_000
const SHORTEST_MS = 60_000

/** A task of a server as it is kept. Times are epoch milliseconds. */
export interface RunningTask {
  readonly id: string
  readonly state: 'running' | 'ending'
  readonly begun: BegunTask
  readonly forgetAt: number
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
   * does not move it to another ground.
   */
  add(begun: BegunTask, now: number): void {
    const { context, taskId, ttlMs } = begun
    const keptMs = Math.min(Math.max(ttlMs ?? LONGEST_MS, SHORTEST_MS), LONGEST_MS)
    const actor = actorKeyOf(context.actor)
    this.#storage.transactionSync(() => {
      this.#sql.exec(
        `INSERT INTO running_tasks (id, actor, server, task, begun, forget_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (actor, server, task) DO NOTHING`,
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
      for (const row of surplus) this.end(taskOf(row), 'too_many', now)
    })
  }

  all(): readonly RunningTask[] {
    return this.#sql.exec<Row>(`${SELECT} ORDER BY rowid`).toArray().map(taskOf)
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

  /** As long as it is looked at is over. */
  forget(id: string): void {
    this.#sql.exec('DELETE FROM running_tasks WHERE id = ?', id)
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
    if (row.state === 'running') this.forget(row.id)
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

const SELECT =
  'SELECT id, state, begun, forget_at, ended_at, attempts, next_attempt_at FROM running_tasks'

type Row = {
  id: string
  state: 'running' | 'ending'
  begun: string
  forget_at: number
  ended_at: number
  attempts: number
  next_attempt_at: number
}

const taskOf = (row: Row): RunningTask => ({
  id: row.id,
  state: row.state,
  begun: JSON.parse(row.begun) as BegunTask,
  forgetAt: row.forget_at,
  endedAt: row.ended_at,
  attempts: row.attempts,
  nextAttemptAt: row.next_attempt_at,
})
