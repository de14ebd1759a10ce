import type { Operation } from '../../mcp/operation.ts'
import { isJsonObject, type JsonObject } from '../../mcp/value.ts'
import { ok, type Result } from '../../result.ts'
import type { Passage, Relay } from '../relay.ts'
import { isSessionStream } from '../relay.ts'
import { observationOf } from '../observe.ts'
import { undecided } from '../result.ts'

const DROP: Passage = { kind: 'drop' }

/**
 * What a server says of a task by itself: only of a task of this actor, and decided as the call that made
 * it. In 2026-07-28 it may hold what the task came to (extension tasks), so it is read like a result.
 */
export async function taskNotice(
  params: JsonObject,
  text: string,
  relay: Relay,
): Promise<Result<Passage, string>> {
  const { permit } = relay
  const { operation } = permit
  const { taskId } = params
  if (typeof taskId !== 'string') return ok(DROP)
  const isExpected =
    isSessionStream(relay) ||
    operation.kind === 'call' ||
    (operation.kind === 'subscription' && operation.taskIds.includes(taskId))
  if (!isExpected) return ok(DROP)
  const { era, version } = operation
  const asked: Operation = {
    kind: 'task',
    method: 'tasks/get',
    era,
    version,
    id: null,
    progressToken: null,
    capabilities: operation.capabilities,
    taskId,
    inputResponses: null,
  }
  const own = await permit.open.permitFor({ operation: asked, message: null }, permit.decision)
  // Unknown, somebody else's, or not allowed any more: what it is about is nobody's here.
  if (!own.ok || !isJsonObject(params)) return ok(DROP)
  // What asks the client for something asks it here as in an answer.
  const answered = await own.value.answered(params)
  if (answered.kind !== 'pass') return ok(DROP)
  const content = own.value.contentOf(params)
  const answer = await own.value.mayReturn?.(content)
  if (answer !== undefined && answer.refused !== null) return ok(DROP)
  const labels = [...(answer?.labels ?? []), ...own.value.arriving(params)]
  const sent = { kind: 'result', result: content, letters: text.length, labels } as const
  // Not as the answer to the stream: there is one of those, and many notices.
  const message = { ...observationOf(permit.decision, sent, []), answer: false }
  if (!(await permit.session.observe(message))) {
    return ok({ kind: 'withhold', refused: undecided(permit.decision).refused })
  }
  return ok({ kind: 'pass', text, last: false })
}
