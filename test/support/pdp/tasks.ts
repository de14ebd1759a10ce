import type { EvaluationRequest, Facts, TaskFact } from '../../../src/pdp/evaluation.ts'

/** The tasks that the call may belong to, or what is wrong with what it says of them. */
export function meantTasks(request: EvaluationRequest, facts: Facts): TaskFact[] | string {
  const { agent, task: said } = request.subject.properties
  const mine = facts.tasks.filter((task) => task.agent === agent)
  const isOver = (task: TaskFact) =>
    task.closedAt !== null || !(request.context.now < task.expiresAt)
  const named: TaskFact[] = []
  if (typeof said?.transaction === 'string') {
    const row = mine.find(({ id }) => id === said.transaction)
    if (row !== undefined) named.push(row)
    else if (facts.transactionIsTask || facts.issuerOpensTasks) return 'task_unknown'
  }
  if (said?.handle === true) {
    const row = mine.find(({ shown }) => shown)
    if (row === undefined) return 'task_unknown'
    named.push(row)
  }
  if (new Set(named.map(({ id }) => id)).size > 1) return 'task_conflict'
  const [first] = named
  if (first === undefined) return mine.filter((task) => !isOver(task))
  return isOver(first) ? 'task_ended' : [first]
}

/** The one task of a call; undefined: it has none that anybody can tell. */
export function ownTask(request: EvaluationRequest, facts: Facts): TaskFact | undefined {
  const meant = meantTasks(request, facts)
  return typeof meant === 'string' || meant.length > 1 ? undefined : meant[0]
}
