import type { RecallRequest, ServerTask, TaskNote } from './session-protocol.ts'

/** More of one subject are not kept: the oldest is forgotten, and is then as good as unknown. */
const MAX_TASKS = 1_000

/**
 * Which actor made which task of a server, and by which call.
 *
 * INVARIANT: a task that is not found here is not asked for, whoever knows its name: names are the
 * server's, and may be guessed (MCP 2025-11-25, basic/utilities/tasks, security).
 */
export class ServerTasks {
  readonly #storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** INVARIANT: what made a task is said once: a server cannot give its name to a milder call later. */
  keep({ actorKey, server, taskId, entry, arguments: given, underTask }: TaskNote): boolean {
    const { sql } = this.#storage
    const [known] = this.#find(actorKey, server, [taskId])
    if (known !== undefined) {
      return known.entry === entry && known.arguments === given && known.underTask === underTask
    }
    this.#storage.transactionSync(() => {
      sql.exec(
        'INSERT INTO server_tasks (actor, server, task, entry, arguments, under_task) VALUES (?, ?, ?, ?, ?, ?)',
        actorKey,
        server,
        taskId,
        entry,
        given,
        underTask,
      )
      sql.exec(
        'DELETE FROM server_tasks WHERE id <= (SELECT max(id) FROM server_tasks) - ?',
        MAX_TASKS,
      )
    })
    return true
  }

  /** Where all are asked for, only by what they were made: a thousand arguments are too much to tell. */
  recall({ actorKey, server, taskIds }: RecallRequest): readonly ServerTask[] {
    if (taskIds !== null) return this.#find(actorKey, server, taskIds)
    return this.#storage.sql
      .exec<Row>(
        "SELECT task, entry, '' AS arguments, under_task FROM server_tasks WHERE actor = ? AND server = ? ORDER BY id",
        actorKey,
        server,
      )
      .toArray()
      .map(taskOf)
  }

  #find(actor: string, server: string, taskIds: readonly string[]): ServerTask[] {
    if (taskIds.length === 0) return []
    return this.#storage.sql
      .exec<Row>(
        `${SELECT} WHERE actor = ? AND server = ? AND task IN (SELECT value FROM json_each(?))`,
        actor,
        server,
        JSON.stringify(taskIds),
      )
      .toArray()
      .map(taskOf)
  }
}

type Row = {
  readonly task: string
  readonly entry: string
  readonly arguments: string
  readonly under_task: string | null
}

const SELECT = 'SELECT task, entry, arguments, under_task FROM server_tasks'

const taskOf = ({ task, entry, arguments: given, under_task: underTask }: Row): ServerTask => ({
  taskId: task,
  entry,
  arguments: given,
  underTask,
})
