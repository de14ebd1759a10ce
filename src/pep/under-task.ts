import type { TaskFact } from '../pdp/evaluation.ts'
import { taskOf } from '../pdp/task.ts'
import type { Judged } from './judge.ts'
import type { Question } from './question.ts'

/** The task that a call was let in under; null: none. */
export const taskUnder = (
  { actor }: Pick<Question, 'actor'>,
  { request, facts }: Pick<Judged, 'request' | 'facts'>,
): TaskFact | null => taskOf(actor, request, facts).task

/**
 * What is asked about a call once it was let in: it stays under its task, or under none, whatever was
 * opened since.
 */
export const underTask = (
  question: Question,
  judged: Pick<Judged, 'request' | 'facts'>,
): Question => ({
  ...question,
  underTask: taskUnder(question, judged)?.id ?? null,
})
