// Tasks of servers that run on after the call that made them, for whoever ends them when its ground is
// gone (durable-objects/task-ender.ts).
import type { Credentials } from '../durable-objects/credentials.ts'
import { inTime, LATE } from '../in-time.ts'
import { kindOfResult } from '../mcp/outcome.ts'
import type { JsonObject } from '../mcp/value.ts'
import type { Question } from '../question/question.ts'
import { contextOf, isDeclared, type BoundTask } from '../upstream/credentials/context.ts'
import { CREDENTIALS_PROTOCOL } from '../upstream/credentials/credentials-protocol.ts'
import type { Judged } from './judge.ts'
import type { Admitted } from './permit.ts'
import { taskUnder } from './under-task.ts'

/** An answer that takes longer counts as lost, and what is not written down is not released. */
const BUDGET_MS = 2_000

/** The statuses of both eras after which nothing runs (2025-11-25, basic/utilities/tasks). */
const AT_AN_END: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled'])

type Kept = Pick<Credentials, 'began' | 'over'>

const keptBy = ({ doors, question }: Admitted): Kept =>
  doors.running.getByName(question.session) as unknown as Kept

/** Of a call that is no longer allowed its task may be closed: then it is known by its name alone. */
function taskOfCall(question: Question, judged: Judged): BoundTask | null {
  const task = taskUnder(question, judged)
  if (task !== null) return { id: task.id, expiresAt: task.expiresAt }
  const { underTask: id = null } = question
  if (id === null) return null
  // When one ends that tokens declare is said by them alone, and this one does not say it.
  return { id, expiresAt: isDeclared({ id }) ? 0 : Number.MAX_SAFE_INTEGER }
}

/** Whether it is written down that the task in this result runs, and by what it ends. */
export async function taskBegan(
  call: Admitted,
  decision: string,
  judged: Judged,
  taskId: string,
  result: JsonObject,
): Promise<boolean> {
  const { question, operation, mcp, carried } = call
  const task = operation.era === 'legacy' ? (result['task'] as JsonObject) : result
  if (AT_AN_END.has(task['status'])) return true
  const { facts } = judged
  const ttl = task[operation.era === 'legacy' ? 'ttl' : 'ttlMs']
  const begun = {
    version: CREDENTIALS_PROTOCOL,
    decision,
    context: contextOf(question, facts.tool?.access ?? null, taskOfCall(question, judged)),
    taskId,
    spoken: {
      era: operation.era,
      version: operation.version ?? mcp?.version ?? null,
      session: mcp?.upstream ?? null,
    },
    credential: carried?.record.kind === 'exchange' ? (carried.record.id ?? null) : null,
    ttlMs: typeof ttl === 'number' ? ttl : null,
  } as const
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      const written = await inTime(keptBy(call).began(begun), BUDGET_MS, LATE)
      if (written !== LATE) return written
    } catch (error) {
      console.warn('that a task runs could not be written down', String(error))
    }
  }
  return false
}

/**
 * What came back of a call and is for nobody: if it says that a task runs, it runs all the same, and on a
 * ground that is gone.
 */
export async function taskUnseen(
  call: Admitted,
  decision: string,
  judged: Judged,
  result: JsonObject,
): Promise<void> {
  const kind = kindOfResult(call.operation, result)
  if (kind.kind === 'task') await taskBegan(call, decision, judged, kind.taskId, result)
}

/** A server says of a task what it is at: nothing is left to end where that is its end. */
export function noteStatus(call: Admitted, result: JsonObject): void {
  const { operation, question, background } = call
  if (operation.kind !== 'task') return
  // It waits for the end, and brings what came of it (2025-11-25, basic/utilities/tasks).
  if (operation.method !== 'tasks/result' && !AT_AN_END.has(result['status'])) return
  const { actor, server } = question
  const { taskId } = operation
  const told = keptBy(call).over({ version: CREDENTIALS_PROTOCOL, actor, server, taskId })
  // Where it is lost, a server may be told once that something ends which has ended.
  background(told.catch(() => undefined))
}
