import type { DecisionRefusal, TaskBound } from '../pdp/refusal.ts'
import type { Help } from './explained.ts'
import type { Refusal } from './refusal.ts'
import { TASK_HEADER } from './task-handle.ts'

export type TaskRefusal = Extract<
  DecisionRefusal,
  { readonly reason: `task_${string}` | 'outside_task' }
>

export const isOfTask = (refusal: Refusal): refusal is TaskRefusal =>
  refusal.reason === 'outside_task' || refusal.reason.startsWith('task_')

/** What a client is told of its task. Exhaustive on purpose, as in explanation.ts. */
export function explainTask(refusal: TaskRefusal): readonly [sentence: string, help: Help] {
  switch (refusal.reason) {
    case 'task_invalid':
      return [
        'the access token declares a task that does not count here',
        { kind: 'obtain_a_token' },
      ]
    case 'task_unknown':
      // Whether it is somebody else's is not confirmed.
      return ['what the call names is no task of this caller', ASK]
    case 'task_conflict':
      return [
        'the access token, the task handle and what the call goes back to are of different tasks',
        { kind: 'correct_the_request' },
      ]
    case 'task_ambiguous':
      return [
        'more than one task is open, and the call does not say which it belongs to',
        { kind: 'name_the_task', header: TASK_HEADER },
      ]
    case 'task_ended':
      return ['the task of this call is over', ASK]
    case 'outside_task':
      return [
        `the call lies outside the declared task: ${OUTSIDE[refusal.bound]}`,
        { kind: 'do_not_retry' },
      ]
    case 'task_required':
      return [
        refusal.approved
          ? 'this is allowed only for a task that was approved'
          : 'this is allowed only for a declared task',
        ASK,
      ]
    case 'task_spent':
      return ['the task allows no further call', ASK]
  }
}

const ASK: Help = { kind: 'ask_for_a_task' }

const OUTSIDE: Readonly<Record<TaskBound, string>> = {
  tools: 'it is not for this tool',
  access: 'it is not for this class of access',
  data_classes: 'it is not for data of this class',
}
