import type { TaskFact } from '../pdp/evaluation.ts'
import { taskOf } from '../pdp/task.ts'
import type { Question } from '../question/question.ts'
import type { Judged } from './judge.ts'

/** The task that a call was let in under; null: none. */
export const taskUnder = (
  { actor }: Pick<Question, 'actor'>,
  { request, facts }: Pick<Judged, 'request' | 'facts'>,
): TaskFact | null => taskOf(actor, request, facts).task

/** Its name. Of a call that is asked about again the task may be over: that was said when it was let in. */
export const taskIdUnder = (
  question: Question,
  judged: Pick<Judged, 'request' | 'facts'>,
): string | null => taskUnder(question, judged)?.id ?? question.underTask ?? null

/**
 * What is asked about a call once it was let in: it stays under its task, or under none, whatever was
 * opened since.
 *
 * INVARIANT: where it could not be told which task is meant, it is asked each time as it was the first
 * time. To be of none would be a way around all of them.
 */
export function underTask(
  question: Question,
  { request, facts }: Pick<Judged, 'request' | 'facts'>,
): Question {
  // What goes back to an earlier call has its task, and not that of the request that comes back to it.
  if (question.underTask !== undefined) return question
  const { task, refusal } = taskOf(question.actor, request, facts)
  return refusal === null ? { ...question, underTask: task?.id ?? null } : question
}
