// Rows that would have a client act for a person which is trusted as itself only.
import type { TenantRows } from '../scratch/tenant-rows.ts'
import type { Finding, RowCheck } from './problem.ts'

/** A client of that id that may act for people, or one that this tenant does not know. */
const mayActForUsers = ({ tables }: TenantRows, client: string, issuer?: string): boolean => {
  const named = tables.clients.filter(
    (row) => row.id === client && (issuer === undefined || row.issuer === issuer),
  )
  return named.length === 0 || named.some(({ actsForUsers }) => actsForUsers)
}

const ADVICE = 'set its acts_for_users to 1, or delete this row'

export const delegatesMayAct: RowCheck = (rows) => [
  ...ofPeople(rows, 'consents', rows.tables.consents),
  ...ofPeople(
    rows,
    'tasks',
    rows.tables.tasks.filter(
      ({ closedAt, subject, client }) => closedAt === null && subject !== client,
    ),
  ),
  ...rolesOfPeople(rows),
]

interface OfAPerson {
  readonly id: string
  readonly issuer: string
  readonly client: string
}

const ofPeople = (
  rows: TenantRows,
  table: 'consents' | 'tasks',
  given: readonly OfAPerson[],
): Finding[] =>
  given
    .filter(({ client, issuer }) => !mayActForUsers(rows, client, issuer))
    .map(({ id, client }) => ({
      code: 'client_not_delegate',
      table,
      key: [rows.tenant, id],
      message: `client \`${client}\` acts for nobody but itself, so this row never counts; ${ADVICE}`,
    }))

/** An allow for a client that acts as itself and for a role that only people hold speaks of nobody. */
function rolesOfPeople(rows: TenantRows): Finding[] {
  const { policies, roleAssignments } = rows.tables
  const holders = (role: string) => roleAssignments.filter((held) => held.role === role)
  return policies.flatMap(({ id, effect, client, role }): Finding[] => {
    if (effect === 'deny' || client === null || role === null) return []
    const held = holders(role)
    const byPeopleOnly = held.length > 0 && held.every(({ holderKind }) => holderKind === 'user')
    return byPeopleOnly && !mayActForUsers(rows, client)
      ? [
          {
            code: 'client_not_delegate',
            table: 'policies',
            key: [rows.tenant, id],
            message: `only people hold the role \`${role}\`, and client \`${client}\` acts for none of them; ${ADVICE}`,
          },
        ]
      : []
  })
}
