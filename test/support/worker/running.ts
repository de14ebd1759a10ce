import { env } from 'cloudflare:workers'
import { listDurableObjectIds, runInDurableObject } from 'cloudflare:test'
import { afterEach, expect } from 'vitest'
import { ask, reply } from './modern.ts'
import { nextLook, objectOf } from './exchange.ts'
import { behaviour, ISSUER, message, post, sql, type CallOptions } from './world.ts'

/** A request that reached the server about a task of its. */
export interface Told {
  readonly taskId: string
  readonly headers: Headers
  readonly body: string
}

interface Sent {
  readonly id: number
  readonly method: string
  readonly params: { readonly taskId?: string }
}

type Answer = (sent: Sent, task: string) => Response | Promise<Response>

/** A server whose calls become tasks that run until somebody ends them. */
export class TaskServer {
  readonly era: 'modern' | 'legacy'
  readonly running = new Set<string>()
  /** Every `tasks/cancel`, in order. */
  readonly told: Told[] = []
  /** What is said of a task that is asked for. */
  status = 'working'
  cancel: Answer = (sent, task) =>
    this.running.delete(task) ? this.result(sent, {}) : this.error(sent, -32602)
  nameOf: () => string
  #made = 0

  constructor(era: 'modern' | 'legacy' = 'modern') {
    this.era = era
    this.nameOf = () => `task-${(this.#made += 1)}`
    behaviour.upstream = (request) => this.serve(request)
  }

  async serve(request: Request): Promise<Response> {
    const body = await request.text()
    const sent = JSON.parse(body) as Sent
    const named = sent.params?.taskId ?? ''
    switch (sent.method) {
      case 'tools/call': {
        const task = { taskId: this.nameOf(), status: 'working', ttlMs: null, ttl: null }
        this.running.add(task.taskId)
        return this.result(sent, this.era === 'modern' ? { ...task, resultType: 'task' } : { task })
      }
      case 'tasks/get':
        return this.result(sent, { taskId: named, status: this.status })
      case 'tasks/result':
        return this.result(sent, { content: [] })
      case 'tasks/cancel':
        this.told.push({ taskId: named, headers: request.headers, body })
        return this.cancel(sent, named)
      default:
        return Response.json({ jsonrpc: '2.0', id: sent.id ?? null, result: {} })
    }
  }

  result({ id }: Sent, result: Record<string, unknown>): Response {
    const kind = this.era === 'modern' ? { resultType: 'complete' } : {}
    return Response.json({ jsonrpc: '2.0', id, result: { ...kind, ...result } })
  }

  error({ id }: Sent, code: number, status = 200): Response {
    return Response.json({ jsonrpc: '2.0', id, error: { code, message: 'no' } }, { status })
  }
}

/** The name of the task that a call became. */
export async function start(
  server: TaskServer,
  options: CallOptions = {},
  args: unknown = {},
): Promise<string> {
  const params = { name: 'note', arguments: args }
  const sent =
    server.era === 'modern'
      ? ask('tools/call', params, options)
      : post(message('tools/call', { ...params, task: { ttl: 60_000 } }), options)
  const { result } = await reply(sent)
  const task = (server.era === 'modern' ? result : result?.['task']) as { taskId: string }
  expect(task.taskId).toBeTypeOf('string')
  return task.taskId
}

export async function openTask(id: string, subject: string, ms = 60_000): Promise<void> {
  await sql(
    `INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at)
     VALUES ('acme', '${id}', '${ISSUER}', '${subject}', 'acme-agent', 'work', '${subject}', ${Date.now() + ms})`,
  )
}

export const closeTask = (id: string): Promise<void> =>
  sql(`UPDATE tasks SET closed_at = ${Date.now()}, closed_by = 'x' WHERE id = '${id}'`)

export const revoke = (kind: string, id: string): Promise<void> =>
  sql(`INSERT INTO revocations (tenant, kind, id) VALUES ('acme', '${kind}', '${id}')`)

export interface TaskEvent {
  readonly event: string
  readonly cause: string | null
  readonly server_task: string
  readonly carried: string | null
  readonly status: number | null
  readonly attempts: number
  readonly detail: string
  readonly task: string | null
}

/** Everything that the log has of one subject's running tasks, in order; brought there now. */
export async function taskEvents(subject: string): Promise<TaskEvent[]> {
  await nextLook(subject)
  const { results } = await env.DECISIONS.prepare(
    'SELECT * FROM server_task_events WHERE subject = ? ORDER BY rowid',
  )
    .bind(subject)
    .all<TaskEvent>()
  return results
}

/** Everything that waits to be tried again, tried now. */
export async function tellAgain(subject: string): Promise<void> {
  await inObject(subject, 'UPDATE running_tasks SET next_attempt_at = 0')
  await nextLook(subject)
}

export const inObject = async (subject: string, statement: string): Promise<unknown[]> =>
  runInDurableObject(await objectOf(subject), (_, { storage }) =>
    storage.sql.exec(statement).toArray(),
  )

export const rowsOf = (subject: string) => inObject(subject, 'SELECT * FROM running_tasks')

/** Alarms outlive a test, and the network that they would ask then is the real one. */
export function withRunningTasks(): void {
  afterEach(async () => {
    for (const id of await listDurableObjectIds(env.CREDENTIALS)) {
      // oxlint-disable-next-line no-await-in-loop
      await runInDurableObject(env.CREDENTIALS.get(id), async (_, { storage }) => {
        await storage.deleteAlarm()
        storage.sql.exec('DELETE FROM running_tasks')
        storage.sql.exec('DELETE FROM task_events')
      })
    }
  })
}
