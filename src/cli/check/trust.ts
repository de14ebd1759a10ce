// Rows that name an issuer, and rows that name who comes from one.
import type { TenantRows } from '../scratch/tenant-rows.ts'
import type { TrackedTable } from '../scratch/tracked.ts'
import { hint } from './hint.ts'
import { textsOf } from './json-column.ts'
import type { Finding, RowCheck } from './problem.ts'

interface Named {
  readonly table: TrackedTable
  readonly key: readonly string[]
  readonly issuer: string
}

/** Everything that stands under an issuer. */
const namedUnderIssuers = ({ tenant, tables }: TenantRows): Named[] => [
  ...tables.clients.map(({ issuer, id }) => ({
    table: 'clients' as const,
    key: [tenant, issuer, id],
    issuer,
  })),
  ...tables.agents.map(({ issuer, id }) => ({
    table: 'agents' as const,
    key: [tenant, issuer, id],
    issuer,
  })),
  ...tables.roleAssignments.map(({ issuer, holderKind, holder, role }) => ({
    table: 'role_assignments' as const,
    key: [tenant, issuer, holderKind, holder, role],
    issuer,
  })),
  ...tables.resources.flatMap(({ type, id, ownerIssuer }) =>
    ownerIssuer === null
      ? []
      : [{ table: 'resources' as const, key: [tenant, type, id], issuer: ownerIssuer }],
  ),
  ...tables.consents.map(({ id, issuer }) => ({
    table: 'consents' as const,
    key: [tenant, id],
    issuer,
  })),
  ...tables.tasks.map(({ id, issuer }) => ({ table: 'tasks' as const, key: [tenant, id], issuer })),
  ...tables.taskOpeners.map(({ issuer, kind, id, client }) => ({
    table: 'task_openers' as const,
    key: [tenant, issuer, kind, id, client],
    issuer,
  })),
  ...tables.pdpCallers.map(({ issuer, client }) => ({
    table: 'pdp_callers' as const,
    key: [tenant, issuer, client],
    issuer,
  })),
]

export const issuersExist: RowCheck = (rows) => {
  const issuers = rows.tables.issuers.map(({ url }) => url)
  return namedUnderIssuers(rows)
    .filter(({ issuer }) => !issuers.includes(issuer))
    .map(({ table, key, issuer }) => ({
      code: 'unknown_issuer',
      table,
      key,
      message: `tenant \`${rows.tenant}\` has no issuer \`${issuer}\`, byte for byte; ${hint(issuer, issuers)}`,
    }))
}

/** Who may ask the AuthZEN doors. One that enforces what it is told is worth a look. */
export const callersAreKnown: RowCheck = (rows) =>
  rows.tables.pdpCallers.flatMap(({ issuer, client, servers, mayAdmit }): Finding[] => {
    const at = { table: 'pdp_callers', key: [rows.tenant, issuer, client] } as const
    const { texts, pure } = textsOf(servers)
    const unknown = texts.filter((server) => !rows.servers.has(server))
    const names = [...rows.servers.keys()]
    return [
      ...unknownClient(rows, issuer, client).map((message) => ({
        ...at,
        code: 'unknown_client',
        message,
      })),
      ...(pure ? unknown : [...unknown, '(no text)']).map((server) => ({
        ...at,
        code: 'unknown_server',
        message: `tenant \`${rows.tenant}\` has no server \`${server}\`; ${hint(server, names)}`,
      })),
      ...(mayAdmit
        ? [
            {
              ...at,
              code: 'warn_caller_may_admit',
              message: `\`${client}\` may have calls admitted into people's histories; make sure that it enforces every answer`,
            },
          ]
        : []),
    ]
  })

export function unknownClient(
  { tables }: TenantRows,
  issuer: string,
  client: string,
  kind: 'client' | 'agent' = 'client',
): string[] {
  const known = (kind === 'client' ? tables.clients : tables.agents)
    .filter((one) => one.issuer === issuer)
    .map(({ id }) => id)
  return known.includes(client)
    ? []
    : [`no ${kind} \`${client}\` is registered in \`${kind}s\`; ${hint(client, known)}`]
}
