// What calls carry to their servers: rows that cannot be used, and policies that expect more of a
// server's credential than it can give.
import { compileCredential } from '../../storage/compiled-credentials.ts'
import { compileIssuers } from '../../storage/compiled-issuers.ts'
import type { CredentialKind } from '../../storage/credential-kinds.ts'
import type { ServerRows, TenantRows } from '../scratch/tenant-rows.ts'
import type { Finding, RowCheck } from './problem.ts'

/** As a deployment reads them, but for loopback: that has a problem of its own. */
const RULES = { allowLoopback: true, ownHosts: new Set<string>() }

export const credentialsAreUsable: RowCheck = ({ tables }) => {
  const { byUrl } = compileIssuers(tables.issuers, RULES)
  return tables.servers.flatMap((row): Finding[] => {
    const at = { table: 'servers', key: [row.name] } as const
    const credential = compileCredential(row, byUrl)
    if (credential.kind !== 'broken') return []
    return [
      {
        ...at,
        code: 'credential_unusable',
        message: `no call goes to this server: ${credential.problem}; give that issuer's row a token_url, and name it byte for byte`,
      },
    ]
  })
}

/** Why what a call carried lives on when its task is over; null: it ends. */
const LIVES_ON: Readonly<
  Record<CredentialKind, (server: ServerRows, rows: TenantRows) => string | null>
> = {
  none: () => 'it is shown nothing that could end',
  secret: () => 'the secret that it is shown stays good',
  signed: () => null,
  exchange: ({ row }, { tables }) =>
    tables.issuers.find(({ url }) => url === row.exchangeIssuer)?.revocationUrl == null
      ? 'the issuer of its tokens has no revocation_url'
      : null,
}

/** A task in a condition counts as asked for: who writes about it expects it to matter. */
const speaksOfTask = (condition: string | null): boolean => /\btask\./.test(condition ?? '')

export const credentialsEnd: RowCheck = (rows) =>
  rows.tables.policies.flatMap((policy): Finding[] => {
    const { id, effect, server: named, requireTask, condition } = policy
    if (effect !== 'allow' || (requireTask === null && !speaksOfTask(condition))) return []
    return [...rows.servers.values()].flatMap((server) => {
      if (named !== null && named !== server.row.name) return []
      const why = LIVES_ON[server.row.credential](server, rows)
      return why === null
        ? []
        : [
            {
              code: 'warn_credential_outlives_task',
              table: 'policies',
              key: [rows.tenant, id],
              message: `asks for a task, and server \`${server.row.name}\` can go on after it: ${why}; let its credential be \`signed\`, or \`exchange\` with an issuer that takes tokens back`,
            },
          ]
    })
  })
