// Rows of `revocations` that take nothing back, because nothing is ever called by that id.
import type { RevocationKind } from '../../pdp/refusal.ts'
import { idFault, type IdFault } from '../../pdp/revocation-id.ts'
import type { AuthoredTables, TenantRows } from '../scratch/tenant-rows.ts'
import { hint } from './hint.ts'
import type { Finding, RowCheck } from './problem.ts'

type Revocation = AuthoredTables['revocations'][number]

interface Wrong {
  readonly code: string
  readonly message: string
}

const FAULTS: Readonly<Record<IdFault, string>> = {
  is_a_token: 'this is the token itself; give its `jti`, and let the token expire',
  no_thumbprint:
    'no thumbprint is written so; give the SHA-256 of the key in base64url, as `cnf` has it',
  no_session_key:
    'no session has such a key; copy the one that the records show, 64 hexadecimal digits',
}

/** What an id of each kind has to be; what only tokens know cannot be looked up here. */
const CHECKS: Readonly<Record<RevocationKind, (row: Revocation, rows: TenantRows) => Wrong[]>> = {
  token: shaped,
  token_session: () => [],
  proof_key: shaped,
  session: shaped,
  client: (row, { tables }) => named(row, tables.clients),
  // People are not listed anywhere.
  subject: () => [],
  agent: (row, { tables }) => named(row, tables.agents),
  server: ({ id }, { servers }) => among(id, [...servers.keys()]),
  tool: ({ id }, { servers }) => toolOf(id, servers),
  issuer_key: ({ id, issuer }) =>
    issuer === '*'
      ? [
          {
            code: 'warn_key_of_any_issuer',
            message: `a \`kid\` is its issuer's own name: \`${id}\` of every issuer is revoked; name the issuer`,
          },
        ]
      : [],
  issuer: ({ id }, { tables }) =>
    among(
      id,
      tables.issuers.map(({ url }) => url),
    ),
  tenant: ({ id }, { tenant }) => among(id, [tenant]),
  consent: ({ id }, { tables }) =>
    among(
      id,
      tables.consents.map((one) => one.id),
    ),
  task: ({ id }, { tables }) =>
    among(
      id,
      tables.tasks.map((one) => one.id),
    ),
}

export const revocationsName: RowCheck = (rows) =>
  rows.tables.revocations.flatMap((row): Finding[] => {
    const { kind, id, issuer } = row
    const check = CHECKS[kind as RevocationKind]
    return [...check(row, rows), ...ofKnownIssuer(row, rows)].map((wrong) => ({
      ...wrong,
      table: 'revocations',
      key: [rows.tenant, kind, issuer, id],
    }))
  })

function shaped({ kind, id }: Revocation): Wrong[] {
  const fault = idFault(kind as RevocationKind, id)
  return fault === null ? [] : [{ code: 'revocation_never_counts', message: FAULTS[fault] }]
}

/** Revoked before it was added, perhaps: a warning, because such a row is no harm. */
const among = (id: string, known: readonly string[]): Wrong[] =>
  known.includes(id)
    ? []
    : [
        {
          code: 'warn_revocation_unknown',
          message: `nothing here is called \`${id}\`, so nothing is revoked; ${hint(id, known)}`,
        },
      ]

const named = (
  { id, issuer }: Revocation,
  rows: readonly { readonly issuer: string; readonly id: string }[],
): Wrong[] =>
  among(
    id,
    rows.filter((row) => issuer === '*' || row.issuer === issuer).map((row) => row.id),
  )

/** By a row of `tools`, which may be a pattern. */
function toolOf(id: string, servers: TenantRows['servers']): Wrong[] {
  const at = id.indexOf('/')
  const found = servers.get(id.slice(0, at))?.tools.find(id.slice(at + 1), null) ?? null
  const known = [...servers.values()].flatMap(({ facts, toolRows }) =>
    toolRows.map(({ name }) => `${facts.name}/${name}`),
  )
  return found === null ? among(id, known) : []
}

const ofKnownIssuer = ({ issuer }: Revocation, { tables, tenant }: TenantRows): Wrong[] => {
  const issuers = tables.issuers.map(({ url }) => url)
  return issuer === '*' || issuers.includes(issuer)
    ? []
    : [
        {
          code: 'unknown_issuer',
          message: `tenant \`${tenant}\` has no issuer \`${issuer}\`, byte for byte; ${hint(issuer, issuers)}`,
        },
      ]
}
