// The rows of consents, as pages read and write them.
import type { Access } from '../pdp/evaluation.ts'
import { ok, type Result } from '../result.ts'
import type { StoreFault } from '../storage/policy-store.ts'
import type { People } from './people.ts'
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
const FROM = `FROM consents AS given LEFT JOIN clients ON clients.tenant = given.tenant
  AND clients.issuer = given.issuer AND clients.id = given.client`

/** More are not shown, the latest come first. */
export const MOST_SHOWN = 200

export interface Given {
  readonly consents: readonly ConsentRow[]
  /** Clients that may act for people of this issuer. */
  readonly clients: readonly ClientRow[]
}

/** Everything that one person gave at one server, and whom they could give something. */
export function givenBy(site: Site, person: Person): Promise<Result<Given, StoreFault>> {
  const { tenant, issuer, subject } = person
  return site.people.doors.policies.read(async (database) => {
    const [consents, clients] = await database.batch([
      database
        .prepare(
          `SELECT ${COLUMNS} ${FROM} WHERE given.tenant = ?1 AND given.issuer = ?2
             AND given.subject = ?3 AND given.server = ?4
           ORDER BY given.granted_at DESC, given.id LIMIT ${MOST_SHOWN}`,
        )
        .bind(tenant, issuer, subject, site.name),
      database
        .prepare(
          `SELECT id, name, redirect_hosts AS redirectHosts FROM clients
           WHERE tenant = ?1 AND issuer = ?2 AND active = 1 ORDER BY id LIMIT ${MOST_SHOWN}`,
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
        `SELECT ${COLUMNS} ${FROM} WHERE given.tenant = ?1 AND given.server = ?2
           AND (given.granted_at < ?3 OR (given.granted_at = ?3 AND given.id > ?4))
         ORDER BY given.granted_at DESC, given.id LIMIT ${MOST_SHOWN}`,
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
         WHERE tenant = ?1 AND issuer = ?2 AND id = ?3 AND active = 1`,
      )
      .bind(person.tenant, person.issuer, id)
      .first<ClientRow>(),
  )
}

/** What a tool is pinned as, and what it was when the person agreed to another definition of it. */
export function definitionsOf(site: Site, tool: string, agreedTo: string | null) {
  return site.people.doors.policies.read(async (database) => {
    const row = await database
      .prepare(
        `SELECT (SELECT definition FROM tools WHERE tenant = ?1 AND server = ?2 AND name = ?3) AS now,
           (SELECT definition FROM consented_definitions WHERE tenant = ?1 AND hash = ?4) AS before`,
      )
      .bind(site.compiled.tenant, site.name, tool, agreedTo)
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

/** Every call reads all of an actor's rows, and none is ever deleted. */
const MOST_FOR_ONE_CLIENT = 200

/** A consent that holds for the same thing: only what was said last counts. */
const SAME = `tenant = ?1 AND issuer = ?2 AND subject = ?3 AND server = ?4 AND client = ?5
  AND tool IS ?6 AND access IS ?7 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?8)`

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
  const found = await database
    .withSession('first-primary')
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM consents WHERE tenant = ?1 AND id = ?6) AS used,
         (SELECT count(*) FROM consents WHERE tenant = ?1 AND issuer = ?2 AND subject = ?3
            AND client = ?4 AND server = ?5) AS given`,
    )
    .bind(tenant, issuer, subject, client, name, id)
    .first<{ used: number; given: number }>()
  if (found === null || found.used === 1) return 'used'
  if (found.given >= MOST_FOR_ONE_CLIENT) return 'too_many'
  const now = people.now()
  const written = database.batch([
    database
      .prepare(
        `UPDATE consents SET revoked_at = max(?8, granted_at), revoked_by = 'person' WHERE ${SAME}`,
      )
      .bind(tenant, issuer, subject, name, client, tool, access, now),
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
    // Sent twice at once: the second one meets the first one's row.
    if (cause instanceof Error && cause.message.includes('a consent is proof')) return 'used'
    throw cause
  }
  return 'granted'
}

/** Of whom: one person, or for an administrator anybody. Says how many rows were taken back. */
export async function withdrawConsent(
  people: People,
  which: {
    readonly tenant: string
    readonly server: string
    readonly id: string
    readonly of: Person | null
    readonly by: string
  },
): Promise<number> {
  const { tenant, server, id, of, by } = which
  const { meta } = await people.database
    .prepare(
      `UPDATE consents SET revoked_at = max(?6, granted_at), revoked_by = ?7
       WHERE tenant = ?1 AND server = ?2 AND revoked_at IS NULL
         AND (expires_at IS NULL OR expires_at > ?6)
         AND (?4 IS NULL OR (issuer = ?4 AND subject = ?5))
         -- All that say the same: one of them left would go on allowing it.
         AND (issuer, subject, client, coalesce(tool, ''), coalesce(access, '')) IN
           (SELECT issuer, subject, client, coalesce(tool, ''), coalesce(access, '')
            FROM consents WHERE tenant = ?1 AND server = ?2 AND id = ?3)`,
    )
    .bind(tenant, server, id, of?.issuer ?? null, of?.subject ?? null, people.now(), by)
    .run()
  return meta.changes
}

/** Whether it is this person's, or at this server at all. */
export async function isConsent(site: Site, id: string, of: Person | null) {
  const row = await site.people.doors.policies.read((database) =>
    database
      .prepare(
        `SELECT 1 FROM consents WHERE tenant = ?1 AND server = ?2 AND id = ?3
           AND (?4 IS NULL OR (issuer = ?4 AND subject = ?5))`,
      )
      .bind(site.compiled.tenant, site.name, id, of?.issuer ?? null, of?.subject ?? null)
      .first(),
  )
  return row.ok ? ok(row.value !== null) : row
}
