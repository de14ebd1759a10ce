// Who is signed in: a random secret in a cookie, and its digest in D1.
import { err, ok, type Result } from '../result.ts'
import { sha256 } from '../sha256.ts'
import { clearCookie, readCookie, writeCookie } from './cookies.ts'
import { isLoginIssuer } from './issuer.ts'
import type { People } from './people.ts'
import type { PageRefusal } from './refusal.ts'
import { isSecret, randomSecret } from './secret.ts'
import type { Site } from './site.ts'
import { mayBeHere, type Somebody } from './standing.ts'

/** A person at a page of their own tenant. */
export interface Person extends Somebody {
  /**
   * What the cookie holds; forms are sealed with it. It is in no table, so nobody who reads the
   * database can make a form.
   */
  readonly secret: string
}

/** Absolute: using the pages does not prolong it. */
const SESSION_MS = 8 * 3_600_000

/** Makes a session that nobody knew before the login ended, whatever cookie came along. */
export async function beginSession(
  people: People,
  request: Request,
  somebody: Somebody,
): Promise<string> {
  const secret = randomSecret()
  const now = people.now()
  const { tenant, issuer, subject, issuerSession } = somebody
  await people.database.batch([
    people.database.prepare('DELETE FROM page_sessions WHERE expires_at <= ?1').bind(now),
    ...(await endingStatements(people, request)),
    people.database
      .prepare(
        `INSERT INTO page_sessions (digest, tenant, issuer, subject, issuer_session, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
      )
      .bind(await sha256(secret), tenant, issuer, subject, issuerSession, now, now + SESSION_MS),
  ])
  return writeCookie(request, 'person', secret, SESSION_MS / 1000)
}

export async function endSession(people: People, request: Request): Promise<string> {
  const ending = await endingStatements(people, request)
  if (ending.length > 0) await people.database.batch(ending)
  return clearCookie(request, 'person')
}

async function endingStatements(people: People, request: Request) {
  const secret = readCookie(request, 'person')
  if (secret === null || !isSecret(secret)) return []
  const statement = people.database.prepare('DELETE FROM page_sessions WHERE digest = ?1')
  return [statement.bind(await sha256(secret))]
}

interface SessionRow {
  readonly tenant: string
  readonly issuer: string
  readonly subject: string
  readonly issuer_session: string | null
  readonly created_at: number
}

/**
 * INVARIANT: a session counts at servers of its own tenant only, for as long as its issuer still is
 * one where people log in, and no revocation names the person, the issuer or the tenant.
 */
export async function personAt(site: Site): Promise<Result<Person, PageRefusal>> {
  const { people, request, compiled } = site
  const secret = readCookie(request, 'person')
  if (secret === null || !isSecret(secret)) return err('not_signed_in')
  const digest = await sha256(secret)
  const row = await people.doors.policies.read((database) =>
    database
      .prepare(
        `SELECT tenant, issuer, subject, issuer_session, created_at FROM page_sessions
         WHERE digest = ?1 AND tenant = ?2 AND expires_at > ?3`,
      )
      .bind(digest, compiled.tenant, people.now())
      .first<SessionRow>(),
  )
  if (!row.ok) return err('unavailable')
  if (row.value === null) return err('not_signed_in')
  const { tenant, issuer, subject, issuer_session: issuerSession } = row.value
  if (!isLoginIssuer(compiled.issuers.get(issuer))) return err('not_signed_in')
  const somebody = { tenant, issuer, subject, issuerSession, keyId: null }
  const standing = await mayBeHere(people, somebody, row.value.created_at)
  return standing.ok ? ok({ ...somebody, secret }) : standing
}
