import type { Recalled, RecallRequest, ServerTask } from '../durable-objects/session-protocol.ts'
import { canonical } from '../mcp/canonical.ts'
import { ownName } from '../mcp/catalogue.ts'
import { readJson } from '../mcp/json.ts'
import { SERVER_REQUESTS } from '../mcp/methods/server-requests.ts'
import type { Call, Operation, Subscription } from '../mcp/operation.ts'
import { asResumed, readInputs, readRound, type Bound, type Input } from '../mcp/round.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../mcp/value.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import type { Matter } from '../question/question.ts'
import { sha256 } from '../sha256.ts'

/** One thing that is decided. An operation that touches several is allowed if all of them are. */
export interface Part {
  readonly matter: Matter
  /** A no that no row could turn; said after those of the rows. */
  readonly refusal: DecisionRefusal | null
}

export interface Matters {
  readonly parts: readonly [Part, ...Part[]]
  /** What the server gets in place of the message; null: the very bytes. */
  readonly sent: JsonObject | null
}

/** Whose operation it is: states and tasks are bound to that. */
export interface Place {
  readonly actorKey: string
  readonly server: string
}

/** What an operation goes back to, which only its session knows; null: to nothing. */
export function recallOf(
  operation: Operation,
): Pick<RecallRequest, 'taskIds' | 'requestState'> | null {
  switch (operation.kind) {
    case 'call': {
      const requestState = operation.resumed?.requestState ?? null
      return requestState === null ? null : { taskIds: [], requestState }
    }
    case 'task':
      return { taskIds: [operation.taskId], requestState: null }
    case 'task_listing':
      return { taskIds: null, requestState: null }
    case 'subscription': {
      const { taskIds } = operation
      return taskIds.length === 0 ? null : { taskIds, requestState: null }
    }
    case 'listing':
    case 'protocol':
    case 'answer':
    case 'session':
      return null
  }
}

export async function mattersOf(
  operation: Operation,
  message: JsonValue,
  { tasks, state }: Recalled,
  place: Place,
): Promise<Matters> {
  switch (operation.kind) {
    case 'call':
      return callMatters(operation, message, state, place)
    case 'task': {
      const task = tasks.find(({ taskId }) => taskId === operation.taskId)
      const inputs = readInputs(operation.inputResponses ?? {}, null)
      return {
        parts: [
          taskPart(task, inputs === null ? UNREADABLE : null),
          ...(task === undefined ? [] : (inputs ?? []).map((one) => inputPart(one, task))),
        ],
        sent: null,
      }
    }
    case 'subscription':
      return { parts: [NOTHING_TOUCHED, ...subscribedParts(operation, tasks)], sent: null }
    case 'answer': {
      const { entry, arguments: given, sent } = operation
      return { parts: [{ matter: { tool: entry, arguments: given }, refusal: null }], sent }
    }
    case 'session':
      return { parts: [NOTHING_TOUCHED], sent: operation.sent }
    case 'listing':
    case 'task_listing':
    case 'protocol':
      return { parts: [NOTHING_TOUCHED], sent: null }
  }
}

const NOTHING_TOUCHED: Part = { matter: { tool: null, arguments: null }, refusal: null }
const UNREADABLE: DecisionRefusal = { at: 'decide', reason: 'input_unreadable' }
const UNKNOWN_TASK: DecisionRefusal = { at: 'decide', reason: 'server_task_unknown' }
const INVALID_STATE: DecisionRefusal = { at: 'decide', reason: 'request_state_invalid' }

async function callMatters(
  operation: Call,
  message: JsonValue,
  opened: string | null,
  place: Place,
): Promise<Matters> {
  const { entry, arguments: given, resumed } = operation
  const matter: Matter = { tool: entry, arguments: given }
  const refused = (refusal: DecisionRefusal): Matters => ({
    parts: [{ matter, refusal }],
    sent: null,
  })
  if (resumed === null) return { parts: [{ matter, refusal: null }], sent: null }
  const isBound = resumed.requestState !== null
  const round =
    opened === null ? null : readRound(opened, await boundOf(operation, place), Date.now())
  // INVARIANT: a state that is not ours for this call is refused, and never passed on.
  if (isBound && round === null) return refused(INVALID_STATE)
  const inputs = readInputs(resumed.inputResponses, round?.asked ?? null)
  if (inputs === null) return refused(UNREADABLE)
  // It goes on under the task that it began under.
  const under = round === null ? {} : { underTask: round.task }
  return {
    parts: [
      { matter: { ...matter, ...under }, refusal: null },
      ...inputs.map((one) => inputPart(one, under)),
    ],
    sent: round === null || !isJsonObject(message) ? null : asResumed(message, round.state, inputs),
  }
}

/** What the state of a call's rounds is good for. */
export const boundOf = async (
  { method, entry, arguments: given }: Call,
  place: Place,
): Promise<Bound> => ({
  ...place,
  method,
  entry,
  argumentsDigest: await sha256(canonical(given)),
})

/** What a client tells a server is a send to it, whoever asked first. */
const inputPart = ({ method, answer }: Input, { underTask }: Pick<Matter, 'underTask'>): Part => ({
  matter: {
    method,
    tool: SERVER_REQUESTS[method].entry,
    arguments: answer,
    ...(underTask === undefined ? {} : { underTask }),
  },
  refusal: null,
})

/** Decided again as the call that made it, under its task, by the rows as they are now. */
function taskPart(task: ServerTask | undefined, refusal: DecisionRefusal | null): Part {
  if (task === undefined) return { ...NOTHING_TOUCHED, refusal: UNKNOWN_TASK }
  const given = readJson(task.arguments)
  const isWhole = given.ok && isJsonObject(given.value)
  return {
    matter: {
      tool: task.entry,
      arguments: isWhole ? given.value : {},
      polls: true,
      underTask: task.underTask,
    },
    refusal: isWhole ? refusal : UNKNOWN_TASK,
  }
}

const subscribedParts = (
  { entries, taskIds }: Subscription,
  tasks: readonly ServerTask[],
): Part[] => [
  ...entries.map((entry): Part => ({
    matter: { tool: entry, arguments: { uri: ownName(entry) } },
    refusal: null,
  })),
  ...taskIds.map((id) =>
    taskPart(
      tasks.find(({ taskId }) => taskId === id),
      null,
    ),
  ),
]
