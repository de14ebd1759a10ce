// What tasks grant, given from outside as JSON Lines: {"suite","user_task","tools":[],"values":[]}.
import { isRow, readLines, textIn, textsIn } from './lines.ts'

export interface TaskGrant {
  readonly tools: readonly string[]
  readonly values: readonly string[]
}

export interface TaskGrants {
  find(suite: string, userTask: string | null): TaskGrant | undefined
}

export const NO_GRANTS: TaskGrants = { find: () => undefined }

export function readTasks(file: string): TaskGrants {
  const grants = new Map<string, TaskGrant>()
  for (const row of readLines(file)) {
    if (!isRow(row)) continue
    const userTask = row['user_task']
    const name = typeof userTask === 'number' ? String(userTask) : textIn(row, 'user_task')
    grants.set(`${textIn(row, 'suite')}\n${name}`, {
      tools: textsIn(row, 'tools'),
      values: textsIn(row, 'values'),
    })
  }
  return { find: (suite, userTask) => grants.get(`${suite}\n${userTask}`) }
}
