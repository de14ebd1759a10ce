// What people agreed to, and what they declared: whether these rows can ever count.
import { ACCESS } from '../../pdp/evaluation.ts'
import type { TenantRows } from '../scratch/tenant-rows.ts'
import { hint } from './hint.ts'
import { textsOf } from './json-column.ts'
import type { Finding, RowCheck } from './problem.ts'
import { globsMeet } from './reach.ts'
import { unknownClient } from './trust.ts'

export const consentsCount: RowCheck = (rows) =>
  rows.tables.consents.flatMap(({ id, issuer, client, server: name, tool }): Finding[] => {
    const at = { table: 'consents', key: [rows.tenant, id] } as const
    const server = rows.servers.get(name)
    const problems = [...unknownClient(rows, issuer, client)]
    const found: Finding[] = problems.map((message) => ({ ...at, code: 'unknown_client', message }))
    if (server === undefined) return found
    if (tool !== null && server.tools.find(tool, null) === null) {
      const known = server.toolRows.map((row) => row.name)
      const message = `no tool of server \`${name}\` is named \`${tool}\`; ${hint(tool, known)}`
      found.push({ ...at, code: 'unknown_tool', message })
    }
    if (!server.facts.consentRequired) {
      const message = `server \`${name}\` asks for no consent, so this row changes nothing; set its consent_required to 1 or delete this row`
      found.push({ ...at, code: 'warn_consent_unused', message })
    }
    return found
  })

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
        ...unknownAccess(task.access).map((message) => ({
          ...at,
          code: 'unknown_access',
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

const unknownAccess = (access: string | null): string[] =>
  access === null
    ? []
    : textsOf(access)
        .texts.filter((word) => !(ACCESS as readonly string[]).includes(word))
        .map((word) => `no class of access is named \`${word}\`; write one of ${ACCESS.join(', ')}`)
