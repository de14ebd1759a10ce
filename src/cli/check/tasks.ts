// Declared tasks, who may open them, and policies that ask for one: whether these rows can ever count.
import { ACCESS, type RequiredTask } from '../../pdp/evaluation.ts'
import { SENSITIVITY } from '../../pdp/resources.ts'
import type { TenantRows } from '../scratch/tenant-rows.ts'
import { hint } from './hint.ts'
import { textsOf } from './json-column.ts'
import type { Finding, RowCheck } from './problem.ts'
import { globsMeet } from './reach.ts'
import { unknownClient } from './trust.ts'

export const tasksCount: RowCheck = (rows) =>
  rows.tables.tasks
    .filter(({ closedAt }) => closedAt === null)
    .flatMap((task): Finding[] => {
      const at = { table: 'tasks', key: [rows.tenant, task.id] } as const
      const { issuer, client, agent, expiresAt } = task
      const clients = unknownClient(rows, issuer, client)
      const agents = agent === null ? [] : unknownClient(rows, issuer, agent, 'agent')
      return [
        ...clients.map((message) => ({ ...at, code: 'unknown_client', message })),
        ...agents.map((message) => ({ ...at, code: 'unknown_agent', message })),
        ...unknownTools(rows, task.tools).map((message) => ({
          ...at,
          code: 'unknown_tool',
          message,
        })),
        ...unknownWords('class of access', task.access, ACCESS).map((message) => ({
          ...at,
          code: 'unknown_access',
          message,
        })),
        ...unknownWords('class of data', task.dataClasses, SENSITIVITY).map((message) => ({
          ...at,
          code: 'unknown_data_class',
          message,
        })),
        ...(expiresAt > Date.now()
          ? []
          : [
              {
                ...at,
                code: 'warn_task_expired',
                message: `ended at ${new Date(expiresAt).toISOString()}, so it narrows nothing; give a later expires_at, in epoch milliseconds`,
              },
            ]),
      ]
    })

/** Patterns over `server/tool`. */
function unknownTools({ servers }: TenantRows, tools: string | null): string[] {
  if (tools === null) return []
  const known = [...servers.values()].flatMap(({ facts, toolRows }) =>
    toolRows.map(({ name }) => `${facts.name}/${name}`),
  )
  return textsOf(tools)
    .texts.filter((pattern) => !known.some((tool) => globsMeet(pattern, tool)))
    .map((pattern) => `the task covers no tool by \`${pattern}\`; ${hint(pattern, known)}`)
}

function unknownWords(what: string, list: string | null, known: readonly string[]): string[] {
  if (list === null) return []
  const { texts, pure } = textsOf(list)
  return [...texts.filter((word) => !known.includes(word)), ...(pure ? [] : ['(no text)'])].map(
    (word) => `no ${what} is named \`${word}\`; write one of ${known.join(', ')}`,
  )
}

/** Who may open tasks: names that nobody comes under open none. */
export const openersAreKnown: RowCheck = (rows) =>
  rows.tables.taskOpeners.flatMap(({ issuer, kind, id, client, through }): Finding[] => {
    const key = [rows.tenant, issuer, kind, id, client]
    const at = { table: 'task_openers', key } as const
    const clients = [
      ...(client === '*' ? [] : [client]),
      ...(through === null ? [] : [through]),
      ...(kind === 'client' ? [id] : []),
    ]
    const agents = kind === 'agent' ? [id] : []
    return [
      ...clients
        .flatMap((name) => unknownClient(rows, issuer, name))
        .map((message) => ({ ...at, code: 'unknown_client', message })),
      ...agents
        .flatMap((name) => unknownClient(rows, issuer, name, 'agent'))
        .map((message) => ({ ...at, code: 'unknown_agent', message })),
    ]
  })

/** A policy that asks for a task where nothing can open one allows nothing. */
export const requiredTasksCanBe: RowCheck = ({ tenant, tables }) => {
  const openers = tables.taskOpeners.filter(({ active }) => active)
  const open = tables.tasks.filter(
    ({ closedAt, expiresAt }) => closedAt === null && expiresAt > Date.now(),
  )
  const canBe: Readonly<Record<RequiredTask, boolean>> = {
    any: openers.length > 0 || open.length > 0 || tables.issuers.some((one) => one.opensTasks),
    approved:
      openers.some(({ mayApprove }) => mayApprove) ||
      open.some(({ approvedAt }) => approvedAt !== null),
  }
  return tables.policies.flatMap(({ id, requireTask }): Finding[] =>
    requireTask === null || canBe[requireTask]
      ? []
      : [
          {
            code: 'warn_task_never_open',
            table: 'policies',
            key: [tenant, id],
            message: `it asks for ${requireTask === 'any' ? 'a task' : 'an approved task'}, and nobody can open one: add a row to \`task_openers\`${requireTask === 'any' ? ' or set issuers.opens_tasks' : ' with may_approve = 1'}`,
          },
        ],
  )
}
