// Whether a person may be here at all: read afresh at every request, like the facts of a call.
import { sessionKeyOf } from '../question/history-keys.ts'
import { COUNTS_FOR, LOGIN_SIGNALS } from '../storage/signal-facts.ts'
import { err, ok, type Result } from '../result.ts'
import type { People } from './people.ts'
import type { PageRefusal } from './refusal.ts'

export interface Somebody {
  readonly tenant: string
  readonly issuer: string
  readonly subject: string
  /** The issuer's name for the login (`sid`), or null. */
  readonly issuerSession: string | null
  /** Which key of the issuer signed for them; null: nothing signed is shown with this request. */
  readonly keyId: string | null
}

/** A login here is no client's; null: nobody says when it was. */
const LOGIN = { issuedAt: '?4', client: "''", session: '?5' }

const STANDING = `SELECT
  (SELECT active FROM tenants WHERE id = ?1) AS active,
  EXISTS (SELECT 1 FROM json_each(?3) AS named CROSS JOIN revocations AS revoked
    ON revoked.tenant = ?1 AND revoked.kind = named.value ->> 0 AND revoked.id = named.value ->> 1
      AND revoked.issuer IN ('*', ?2) AND ${COUNTS_FOR('revoked', LOGIN)}) AS revoked,
  ${LOGIN_SIGNALS}`

/**
 * INVARIANT: whom a revocation would refuse at an MCP endpoint has no page either: by the subject,
 * its history, the login, the issuer and its key, or the tenant. So it is with a login before a credential changed,
 * and while a stream is silent that must be heard.
 */
export async function mayBeHere(
  people: People,
  somebody: Somebody,
  loggedInAt: number | null,
): Promise<Result<true, PageRefusal>> {
  const { tenant, issuer, subject, issuerSession, keyId } = somebody
  const session = await sessionKeyOf({ tenant, issuer, subject, client: '', agent: null })
  const named = [
    ['subject', subject],
    ['session', session],
    ['issuer', issuer],
    ['tenant', tenant],
    ...(issuerSession === null ? [] : [['token_session', issuerSession]]),
    ...(keyId === null ? [] : [['issuer_key', keyId]]),
  ]
  const row = await people.doors.policies.read((database) =>
    database
      .prepare(STANDING)
      .bind(tenant, issuer, JSON.stringify(named), loggedInAt, issuerSession)
      .first<{ active: number | null; revoked: number; outdated: number; silent: number }>(),
  )
  if (!row.ok || row.value === null) return err('unavailable')
  if (row.value.active !== 1) return err('switched_off')
  if (row.value.revoked === 1) return err('person_not_allowed')
  if (row.value.silent === 1) return err('unavailable')
  return row.value.outdated === 0 ? ok(true) : err('not_signed_in')
}
