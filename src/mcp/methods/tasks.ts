// Pure. Tasks of a server: experimental in the core of 2025-11-25 (basic/utilities/tasks), an
// extension since 2026-07-28. Not to be taken for a task of ours, which is a declared purpose.
import { ok } from '../../result.ts'
import type { TaskListing, TaskStep } from '../operation.ts'
import { TASKS_EXTENSION } from '../versions.ts'
import { isJsonObject, type JsonObject } from '../value.ts'
import { areInputs } from './calls.ts'
import { BOTH, EMPTY, invalid, isText, LEGACY, MODERN, type Known, type Rows } from './row.ts'

const RELATED_TASK = 'io.modelcontextprotocol/related-task'

const NEEDS: JsonObject = { extensions: { [TASKS_EXTENSION]: {} } }

export const TASKS: Rows<(TaskStep | TaskListing)['method']> = {
  'tasks/get': {
    eras: BOTH,
    kind: 'request',
    params: ['taskId'],
    nameParam: 'taskId',
    needs: NEEDS,
    decided: 'as the call that made the task, if this actor made it',
    read: (known) => taskStep('tasks/get', known),
  },

  'tasks/result': {
    eras: LEGACY,
    kind: 'request',
    params: ['taskId'],
    nameParam: null,
    needs: null,
    decided: 'as the call that made the task, if this actor made it',
    read: (known) => taskStep('tasks/result', known),
  },

  'tasks/update': {
    eras: MODERN,
    kind: 'request',
    params: ['taskId', 'inputResponses'],
    nameParam: 'taskId',
    needs: NEEDS,
    decided: 'as the call that made the task, and each response as a send of its kind',
    read: (known) =>
      areInputs(known.params['inputResponses'] ?? EMPTY)
        ? taskStep('tasks/update', known)
        : invalid('`inputResponses` must be an object of a few answers'),
  },

  'tasks/cancel': {
    eras: BOTH,
    kind: 'request',
    params: ['taskId'],
    nameParam: 'taskId',
    needs: NEEDS,
    decided: 'as the call that made the task, if this actor made it',
    read: (known) => taskStep('tasks/cancel', known),
  },

  'tasks/list': {
    eras: LEGACY,
    kind: 'request',
    params: ['cursor'],
    nameParam: null,
    needs: null,
    decided: 'up to scope; shows the tasks that this actor made',
    read: ({ params, base }) =>
      'cursor' in params && typeof params['cursor'] !== 'string'
        ? invalid('`cursor` must be text')
        : ok({ kind: 'task_listing', method: 'tasks/list', ...base }),
  },
}

function taskStep<M extends TaskStep['method']>(method: M, { params, base }: Known) {
  const { taskId, inputResponses, _meta: meta } = params
  if (!isText(taskId)) return invalid('`taskId` must be a text without control characters')
  // A server could go by either (2025-11-25, basic/utilities/tasks, associating messages).
  const related = isJsonObject(meta) ? meta[RELATED_TASK] : undefined
  if (related !== undefined && !(isJsonObject(related) && related['taskId'] === taskId)) {
    return invalid('`_meta` names another task')
  }
  const inputs = areInputs(inputResponses) ? inputResponses : null
  return ok({ kind: 'task' as const, method, taskId, inputResponses: inputs, ...base })
}
