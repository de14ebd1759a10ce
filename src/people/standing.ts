// Whether a person may be here at all: read afresh at every request, like the facts of a call.
import { COUNTS_FOR } from '../storage/signal-facts.ts'
import { sessionKeyOf } from '../pep/question.ts'
import { err, ok, type Result } from '../result.ts'
import type { People } from './people.ts'
import type { PageRefusal } from './refusal.ts'

export interface Somebody {
  readonly tenant: string
  readonly issuer: string
  readonly subject: string
  /** The issuer's name for the login (`sid`), or null. */
  readonly issuerSession: string | null
}

/** A login here is no client's; null: nobody says when it was. */
const LOGIN = { issuedAt: '?4', client: "''", session: '?5' }

const STANDING = `SELECT
  (SELECT active FROM tenants WHERE id = ?1) AS active,
  EXISTS (SELECT 1 FROM json_each(?3) AS named CROSS JOIN revocations AS revoked
    ON revoked.tenant = ?1 AND revoked.kind = named.value ->> 0 AND revoked.id = named.value ->> 1
      AND revoked.issuer IN ('*', ?2) AND ${COUNTS_FOR('revoked', LOGIN)}) AS revoked`

/**
 * INVARIANT: whom a revocation would refuse at an MCP endpoint has no page either: by the subject,
 * its history, the login, the issuer, or the tenant.
 */
export async function mayBeHere(
  people: People,
  somebody: Somebody,
  loggedInAt: number | null,
): Promise<Result<true, PageRefusal>> {
  const { tenant, issuer, subject, issuerSession } = somebody
  const session = await sessionKeyOf({ tenant, issuer, subject, client: '', agent: null })
  const named = [
    ['subject', subject],
    ['session', session],
    ['issuer', issuer],
    ['tenant', tenant],
    ...(issuerSession === null ? [] : [['token_session', issuerSession]]),
  ]
  const row = await people.doors.policies.read((database) =>
    database
      .prepare(STANDING)
      .bind(tenant, issuer, JSON.stringify(named), loggedInAt, issuerSession)
      .first<{ active: number | null; revoked: number }>(),
  )
  if (!row.ok || row.value === null) return err('unavailable')
  if (row.value.active !== 1) return err('switched_off')
  return row.value.revoked === 0 ? ok(true) : err('person_not_allowed')
}
