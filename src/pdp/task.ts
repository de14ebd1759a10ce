// Pure. Which task a call belongs to, and whether it stays inside.
import type { Actor, EvaluationRequest, Facts, TaskFact, ToolFacts } from './evaluation.ts'
import { parseGlob } from './glob.ts'

/** The tasks that this actor has open now. More than one, and nothing says which of them is meant. */
export const openTasks = (
  actor: Actor,
  request: EvaluationRequest,
  facts: Pick<Facts, 'tasks'>,
): readonly TaskFact[] =>
  facts.tasks.filter((task) => task.agent === actor.agent && task.expiresAt > request.context.now)

export function taskAllows(task: TaskFact, server: string, tool: ToolFacts): boolean {
  const called = `${server}/${tool.name}`
  const classes = tool.depends?.access ?? [tool.access]
  return (
    (task.tools === null || task.tools.some((pattern) => parseGlob(pattern).matches(called))) &&
    (task.access === null || classes.some((access) => task.access?.includes(access)))
  )
}
