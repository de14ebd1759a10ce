// The rows of consents, as pages read and write them.
import type { Access } from '../pdp/evaluation.ts'
import type { Result } from '../result.ts'
import type { StoreFault } from '../storage/policy-store.ts'
import type { Person } from './session.ts'
import type { Site } from './site.ts'

export interface ConsentRow {
  readonly id: string
  readonly issuer: string
  readonly subject: string
  readonly client: string
  /** What the client calls itself; null: it has no row any more. */
  readonly clientName: string | null
  readonly tool: string | null
  readonly access: Access | null
  readonly purpose: string
  readonly definitionHash: string | null
  readonly grantedAt: number
  readonly expiresAt: number | null
  readonly revokedAt: number | null
  readonly revokedBy: string | null
}

export interface ClientRow {
  readonly id: string
  readonly name: string
  /** JSON. */
  readonly redirectHosts: string
}

const COLUMNS = `given.id, given.issuer, given.subject, given.client, clients.name AS clientName, given.tool,
  given.access, given.purpose, given.definition_hash AS definitionHash, given.granted_at AS grantedAt,
  given.expires_at AS expiresAt,
  coalesce(given.revoked_at, (SELECT max(revoked_at) FROM revocations WHERE tenant = given.tenant
    AND kind = 'consent' AND id = given.id AND issuer IN ('*', given.issuer))) AS revokedAt,
  given.revoked_by AS revokedBy`
const from = (index: string): string =>
  `FROM consents AS given INDEXED BY ${index} LEFT JOIN clients ON clients.tenant = given.tenant
     AND clients.issuer = given.issuer AND clients.id = given.client`

/** More are not shown. */
export const MOST_SHOWN = 200

export interface Given {
  readonly consents: readonly ConsentRow[]
  /** Clients that may act for people of this issuer. */
  readonly clients: readonly ClientRow[]
}

/**
 * What one person gave at one server, and whom they could give something.
 *
 * INVARIANT: what holds comes before what has ended, however often something was given since: a
 * person can always find what they could take back.
 *
 * Indexes are named here for the reason that stands in src/storage/facts.ts.
 */
export function givenBy(site: Site, person: Person): Promise<Result<Given, StoreFault>> {
  const { tenant, issuer, subject } = person
  return site.people.doors.policies.read(async (database) => {
    const [consents, clients] = await database.batch([
      database
        .prepare(
          `SELECT ${COLUMNS} ${from('consents_by_person')} WHERE given.tenant = ?1
             AND given.issuer = ?2 AND given.subject = ?3 AND given.server = ?4
           ORDER BY given.ends_at DESC LIMIT ${MOST_SHOWN}`,
        )
        .bind(tenant, issuer, subject, site.name),
      database
        .prepare(
          `SELECT id, name, redirect_hosts AS redirectHosts FROM clients
           WHERE tenant = ?1 AND issuer = ?2 AND active = 1 AND acts_for_users = 1 ORDER BY id LIMIT ${MOST_SHOWN}`,
        )
        .bind(tenant, issuer),
    ])
    return {
      consents: (consents?.results ?? []) as ConsentRow[],
      clients: (clients?.results ?? []) as ClientRow[],
    }
  })
}

/** Of everybody at one server, for an administrator: what comes after this one in the list. */
export function givenAt(
  site: Site,
  before: number,
  id: string,
): Promise<Result<readonly ConsentRow[], StoreFault>> {
  return site.people.doors.policies.read(async (database) => {
    const { results } = await database
      .prepare(
        `SELECT ${COLUMNS} ${from('consents_by_server')} WHERE given.tenant = ?1
           AND given.server = ?2 AND (given.granted_at, given.id) < (?3, ?4)
         ORDER BY given.granted_at DESC, given.id DESC LIMIT ${MOST_SHOWN}`,
      )
      .bind(site.compiled.tenant, site.name, before, id)
      .all<ConsentRow>()
    return results
  })
}

export async function clientRow(site: Site, person: Person, id: string) {
  return site.people.doors.policies.read((database) =>
    database
      .prepare(
        `SELECT id, name, redirect_hosts AS redirectHosts FROM clients
         WHERE tenant = ?1 AND issuer = ?2 AND id = ?3 AND active = 1 AND acts_for_users = 1`,
      )
      .bind(person.tenant, person.issuer, id)
      .first<ClientRow>(),
  )
}

/** What this pin says, and what the one said that the person agreed to before. */
export function definitionsOf(site: Site, tool: string, pin: string, agreedTo: string | null) {
  return site.people.doors.policies.read(async (database) => {
    const row = await database
      .prepare(
        `SELECT (SELECT definition FROM tools WHERE tenant = ?1 AND server = ?2 AND name = ?3
             AND definition_hash = ?4) AS now,
           (SELECT definition FROM consented_definitions WHERE tenant = ?1 AND hash = ?5) AS before`,
      )
      .bind(site.compiled.tenant, site.name, tool, pin, agreedTo)
      .first<{ now: string | null; before: string | null }>()
    return row ?? { now: null, before: null }
  })
}

export interface Grant {
  readonly id: string
  readonly client: string
  readonly tool: string | null
  readonly access: Access | null
  readonly purpose: string
  readonly definitionHash: string | null
  readonly expiresAt: number | null
}

/** Takes back all that say the same and hold: one of them left would go on allowing it. */
const END_SAME = `UPDATE consents INDEXED BY consents_by_actor
  SET revoked_at = max(?8, granted_at), revoked_by = ?9
  WHERE tenant = ?1 AND issuer = ?2 AND subject = ?3 AND server = ?4 AND client = ?5
    AND tool IS ?6 AND access IS ?7 AND revoked_at IS NULL AND ends_at > ?8
  RETURNING id`

export type Granted = 'granted' | 'used' | 'too_many'

/**
 * INVARIANT: one transaction. What was said before about the same thing ends where this begins, and
 * a form that was sent before is known by its id.
 */
export async function grantConsent(site: Site, person: Person, grant: Grant): Promise<Granted> {
  const { people, name } = site
  const { database } = people
  const { tenant, issuer, subject } = person
  const { id, client, tool, access, purpose, definitionHash, expiresAt } = grant
  const now = people.now()
  const written = database.batch([
    database
      .prepare(END_SAME)
      .bind(tenant, issuer, subject, name, client, tool, access, now, 'person'),
    database
      .prepare(
        `INSERT INTO consented_definitions (tenant, hash, definition)
         SELECT tenant, definition_hash, definition FROM tools
         WHERE tenant = ?1 AND server = ?2 AND name = ?3 AND definition_hash = ?4
           AND definition IS NOT NULL AND NOT EXISTS
             (SELECT 1 FROM consented_definitions WHERE tenant = ?1 AND hash = ?4)`,
      )
      .bind(tenant, name, tool, definitionHash),
    database
      .prepare(
        `INSERT INTO consents (tenant, id, issuer, subject, client, server, tool, access, purpose,
           definition_hash, granted_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`,
      )
      .bind(
        tenant,
        id,
        issuer,
        subject,
        client,
        name,
        tool,
        access,
        purpose,
        definitionHash,
        now,
        expiresAt,
      ),
  ])
  try {
    await written
  } catch (cause) {
    const refused = REFUSED_BY.find(
      ([, words]) => cause instanceof Error && cause.message.includes(words),
    )
    if (refused === undefined) throw cause
    return refused[0]
  }
  return 'granted'
}

/** Triggers of migrations/0003 that say no, also to what is sent twice at once. */
const REFUSED_BY: readonly (readonly [Granted, string])[] = [
  ['used', 'a consent is proof'],
  ['too_many', 'at most 200 consents'],
]

/** What a consent is about. It never changes. */
type About = Pick<ConsentRow, 'issuer' | 'subject' | 'client' | 'tool' | 'access'>

/** Says how many rows were taken back. */
export async function withdrawConsent(site: Site, about: About, by: string): Promise<number> {
  const { people, compiled, name } = site
  const { issuer, subject, client, tool, access } = about
  // The rows themselves: D1 counts what triggers changed as well.
  const { results } = await people.database
    .prepare(END_SAME)
    .bind(compiled.tenant, issuer, subject, name, client, tool, access, people.now(), by)
    .run()
  return results.length
}

/** null: it is not this person's, or for an administrator not at this server. */
export function consentAt(
  site: Site,
  id: string,
  of: Person | null,
): Promise<Result<About | null, StoreFault>> {
  return site.people.doors.policies.read((database) =>
    database
      .prepare(
        `SELECT issuer, subject, client, tool, access FROM consents
         WHERE tenant = ?1 AND server = ?2 AND id = ?3
           AND (?4 IS NULL OR (issuer = ?4 AND subject = ?5))`,
      )
      .bind(site.compiled.tenant, site.name, id, of?.issuer ?? null, of?.subject ?? null)
      .first<About>(),
  )
}
