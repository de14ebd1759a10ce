// Pure. Which task a call belongs to, and whether it stays inside.
import { declaredTask, type DeclaredTask } from './declared-task.ts'
import type { Actor, EvaluationRequest, Facts, TaskFact, ToolFacts } from './evaluation.ts'
import { parseGlob } from './glob.ts'
import type { DecisionRefusal, TaskBound } from './refusal.ts'
import type { Target } from './resources.ts'

/** The tasks that this actor has open now. More than one, and something must say which is meant. */
export const openTasks = (
  actor: Actor,
  request: EvaluationRequest,
  facts: Pick<Facts, 'tasks'>,
): readonly TaskFact[] =>
  facts.tasks.filter(
    (task) => task.agent === actor.agent && endOf(task, request.context.now) === null,
  )

/** The task of a call; `refusal`: why it has none that could be told. Both null: it has none. */
export interface TaskBinding {
  readonly task: TaskFact | null
  readonly refusal: DecisionRefusal | null
  /** Open, and one of them may be meant. */
  readonly candidates: readonly TaskFact[]
}

type TaskFacts = Pick<Facts, 'tasks' | 'transactionIsTask' | 'issuerOpensTasks'>

/**
 * By the token, by the handle that the request shows, or the actor's only open one, in this order.
 *
 * INVARIANT: what is named and cannot be found is refused, never passed over: a call would otherwise
 * leave a narrow task by naming none that there is. Two names that disagree are refused as well.
 */
export function taskOf(actor: Actor, request: EvaluationRequest, facts: TaskFacts): TaskBinding {
  const byToken = tokensTask(actor, request, facts)
  if (byToken !== null && 'at' in byToken) return refused(byToken)
  const byHandle = handlesTask(actor, request, facts)
  if (byHandle !== null && 'at' in byHandle) return refused(byHandle)
  if (byToken !== null && byHandle !== null && byToken.id !== byHandle.id) {
    return refused({ at: 'decide', reason: 'task_conflict' })
  }
  const named = byToken ?? byHandle
  const { under } = request.subject.properties.task ?? {}
  if (named !== null) {
    // What is asked about an earlier call is no matter of another task.
    if (under !== undefined && named.id !== under) {
      return refused({ at: 'decide', reason: 'task_conflict' })
    }
    const how = endOf(named, request.context.now)
    return how === null
      ? { task: named, refusal: null, candidates: [named] }
      : refused({ at: 'decide', reason: 'task_ended', task: named.id, how })
  }
  if (under !== undefined) return taskOfCall(under, request, facts)
  const open = openTasks(actor, request, facts)
  return open.length > 1
    ? { ...refused({ at: 'decide', reason: 'task_ambiguous' }), candidates: open }
    : { task: open[0] ?? null, refusal: null, candidates: open }
}

/** A result belongs to the task of its call: it may be over by now, and another one is not meant. */
function taskOfCall(
  under: string | null,
  { context }: EvaluationRequest,
  { tasks }: TaskFacts,
): TaskBinding {
  if (under === null) return { task: null, refusal: null, candidates: [] }
  const own = tasks.find(({ id }) => id === under)
  if (own === undefined) return refused({ at: 'decide', reason: 'task_unknown', by: 'token' })
  const how = endOf(own, context.now)
  return how === null
    ? { task: own, refusal: null, candidates: [own] }
    : refused({ at: 'decide', reason: 'task_ended', task: own.id, how })
}

const refused = (refusal: DecisionRefusal): TaskBinding => ({ task: null, refusal, candidates: [] })

const STREAMS: ReadonlySet<EvaluationRequest['action']['name']> = new Set([
  'GET',
  'subscriptions/listen',
])

/**
 * A step of the protocol touches nothing that a task could bound. A stream goes on telling, so it is
 * not opened for a task that is over or nobody's, and ends with its own.
 */
export const endsStream = (
  { action }: EvaluationRequest,
  refusal: DecisionRefusal | null,
): boolean => STREAMS.has(action.name) && refusal !== null && refusal.reason !== 'task_ambiguous'

/** What the token declares, with the values that came along. */
export const declarationOf = (actor: Actor, { subject }: EvaluationRequest) =>
  declaredTask(
    subject.properties.authorizationDetails,
    subject.properties.task?.transaction ?? null,
    actor.agent,
  )

/** The same, where it can be read; otherwise no call is let in by that token. */
export function readDeclaration(actor: Actor, request: EvaluationRequest): DeclaredTask | null {
  const declared = declarationOf(actor, request)
  return declared === 'unreadable' ? null : declared
}

/** The values of the task that the call belongs to, where its token declares that very task. */
export function declaredValues(
  actor: Actor,
  request: EvaluationRequest,
  task: TaskFact,
): DeclaredTask['values'] | null {
  const declared = readDeclaration(actor, request)
  return declared?.task.id === task.id ? declared.values : null
}

function tokensTask(
  actor: Actor,
  request: EvaluationRequest,
  facts: TaskFacts,
): TaskFact | DecisionRefusal | null {
  const declared = declarationOf(actor, request)
  if (declared !== null) {
    const fault = !facts.issuerOpensTasks
      ? 'issuer_opens_none'
      : declared === 'unreadable'
        ? 'unreadable'
        : null
    if (fault !== null) return { at: 'decide', reason: 'task_invalid', fault }
    if (declared !== 'unreadable') return declared.task
  }
  const transaction = request.subject.properties.task?.transaction ?? null
  if (transaction === null) return null
  const row = facts.tasks.find((task) => task.id === transaction && task.agent === actor.agent)
  if (row !== undefined) return row
  // Any token may carry the name of a transaction that is nobody's task (RFC 8417 §2.2); that of an
  // issuer that opens tasks means one.
  return facts.transactionIsTask || facts.issuerOpensTasks
    ? { at: 'decide', reason: 'task_unknown', by: 'token' }
    : null
}

function handlesTask(
  actor: Actor,
  request: EvaluationRequest,
  { tasks }: TaskFacts,
): TaskFact | DecisionRefusal | null {
  if (request.subject.properties.task?.handle !== true) return null
  return (
    tasks.find((task) => task.shown && task.agent === actor.agent) ?? {
      at: 'decide',
      reason: 'task_unknown',
      by: 'handle',
    }
  )
}

/** INVARIANT: compared with the clock at each decision. Over at this very moment is over. */
const endOf = ({ closedAt, expiresAt }: TaskFact, now: number): 'closed' | 'expired' | null =>
  closedAt !== null ? 'closed' : expiresAt > now ? null : 'expired'

/** Which bound of the task the call is outside of; null: it is inside. A task only narrows. */
export function outsideOf(
  task: TaskFact,
  server: string,
  tool: ToolFacts,
  targets: readonly Target[],
): TaskBound | null {
  const called = `${server}/${tool.name}`
  const classes = tool.depends?.access ?? [tool.access]
  if (task.tools?.some((pattern) => parseGlob(pattern).matches(called)) === false) return 'tools'
  if (task.access !== null && !classes.some((access) => task.access?.includes(access))) {
    return 'access'
  }
  const touches = targets.every(({ sensitivity }) => task.dataClasses?.includes(sensitivity))
  return task.dataClasses === null || touches ? null : 'data_classes'
}
