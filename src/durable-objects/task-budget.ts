import type { DecisionRefusal } from '../pdp/refusal.ts'
import type { StoredEvent } from './event-log.ts'
import type { FlowOfCall } from './session-protocol.ts'

/** How long after its end a count is kept: clocks differ, and it must not begin anew meanwhile. */
const KEPT_MS = 86_400_000

/**
 * How many calls were admitted under each task of this subject. A task has one subject, so this object
 * sees all of its calls, and admits them one after the other.
 *
 * INVARIANT: the count moves in the transaction that admits the call, and goes back only where no byte
 * left for the upstream.
 */
export class TaskBudget {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  /** null: there is room for one more, or no bound. */
  refusal({ task, budget }: FlowOfCall): DecisionRefusal | null {
    const maxCalls = budget?.maxCalls ?? null
    if (task === null || maxCalls === null) return null
    const row = this.#sql
      .exec<{ calls: number }>('SELECT calls FROM task_calls WHERE task = ?', task)
      .toArray()[0]
    return (row?.calls ?? 0) < maxCalls ? null : { at: 'decide', reason: 'task_spent', task }
  }

  /** Inside the transaction of the admission. Counted without a bound too: a token may name one later. */
  count({ task, budget }: FlowOfCall, now: number): void {
    if (task === null || budget === undefined) return
    this.#sql.exec('DELETE FROM task_calls WHERE kept_until < ?', now)
    this.#sql.exec(
      `INSERT INTO task_calls (task, calls, kept_until) VALUES (?, 1, ?)
       ON CONFLICT (task) DO UPDATE SET calls = calls + 1, kept_until = max(kept_until, excluded.kept_until)`,
      task,
      budget.expiresAt + KEPT_MS,
    )
  }

  /** Inside the transaction that settles an admitted call as `failed`. */
  giveBack({ taskKey, tool }: Pick<StoredEvent, 'taskKey' | 'tool'>): void {
    if (taskKey === null || tool === '') return
    this.#sql.exec('UPDATE task_calls SET calls = calls - 1 WHERE task = ? AND calls > 0', taskKey)
  }
}
