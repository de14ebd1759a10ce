// The rows of revocations, as the console reads and writes them.
import type { RevocationKind } from '../../../pdp/refusal.ts'
import type { Result } from '../../../result.ts'
import type { StoreFault } from '../../../storage/policy-store.ts'
import type { Site } from '../../site.ts'
import type { WantedRevocation } from './wanted.ts'

export interface RevocationRow {
  readonly kind: RevocationKind
  readonly id: string
  readonly issuer: string
  /** '': a person or a door of ours; else a stream and its topic. */
  readonly source: string
  readonly issuedBefore: number | null
  readonly onlyClient: string
  readonly onlyWithoutSession: number
  readonly reason: string
  readonly revokedAt: number
  readonly revokedBy: string
  /** The entry of the history that made it what it is. */
  readonly change: number
}

export interface ListedRevocation extends RevocationRow {
  /** Tells rows of one moment apart, in the list. */
  readonly place: number
}

export interface HistoryEntry extends RevocationRow {
  readonly what: 'insert' | 'update' | 'delete'
  readonly by: string
  readonly at: number
}

/** More are on the next page. */
export const MOST_LISTED = 50

const COLUMNS = `kind, id, issuer, source, issued_before AS issuedBefore, only_client AS onlyClient,
  only_without_session AS onlyWithoutSession, reason, revoked_at AS revokedAt, revoked_by AS revokedBy`

const KEY = ['tenant', 'kind', 'id', 'issuer', 'source', 'only_client', 'only_without_session']

/** The latest that happened to this row; 0: nothing ever did. */
const latest = (values: readonly string[]): string =>
  `(SELECT coalesce(max(sequence), 0) FROM revocation_history AS told
     WHERE ${KEY.map((column, at) => `told.${column} = ${values[at] ?? ''}`).join(' AND ')})`

const LATEST_OF_ROW = latest(KEY.map((column) => `held.${column}`))
/** ?1 tenant, ?2 kind, ?3 id, ?4 issuer. */
const LATEST_OF_PEOPLE = latest(['?1', '?2', '?3', '?4', "''", "''", '0'])

/** What holds in this tenant, the newest first: what comes after this one in the list. */
export function revocationsIn(
  { people, compiled }: Site,
  after: { readonly revokedAt: number; readonly place: number },
): Promise<Result<readonly ListedRevocation[], StoreFault>> {
  return people.doors.policies.read(async (database) => {
    const { results } = await database
      .prepare(
        `SELECT ${COLUMNS}, ${LATEST_OF_ROW} AS change, held.rowid AS place
         FROM revocations AS held INDEXED BY revocations_by_time
         WHERE tenant = ?1 AND revoked_at >= 0 AND (revoked_at, held.rowid) < (?2, ?3)
         ORDER BY revoked_at DESC, held.rowid DESC LIMIT ${MOST_LISTED}`,
      )
      .bind(compiled.tenant, after.revokedAt, after.place)
      .all<ListedRevocation>()
    return results
  })
}

/** What was ever revoked and lifted in this tenant, the latest first. */
export function historyIn(
  { people, compiled }: Site,
  before: number,
): Promise<Result<readonly HistoryEntry[], StoreFault>> {
  return people.doors.policies.read(async (database) => {
    const { results } = await database
      .prepare(
        `SELECT ${COLUMNS}, sequence AS change, change AS what, changed_by AS by, changed_at AS at
         FROM revocation_history INDEXED BY revocation_history_by_tenant
         WHERE tenant = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT ${MOST_LISTED}`,
      )
      .bind(compiled.tenant, before)
      .all<HistoryEntry>()
    return results
  })
}

/** What people said of this before. */
export interface Before {
  /** The entry of the history that a form is made after; 0: there is none. */
  readonly change: number
  /** null: it does not hold now. */
  readonly row: RevocationRow | null
}

export function beforeOf(
  { people, compiled }: Site,
  { kind, id, issuer }: WantedRevocation,
): Promise<Result<Before, StoreFault>> {
  return people.doors.policies.read(async (database) => {
    const [latestChange, row] = await database.batch([
      database
        .prepare(`SELECT ${LATEST_OF_PEOPLE} AS change`)
        .bind(compiled.tenant, kind, id, issuer),
      database
        .prepare(
          `SELECT ${COLUMNS}, ${LATEST_OF_ROW} AS change FROM revocations AS held
           WHERE tenant = ?1 AND kind = ?2 AND id = ?3 AND issuer = ?4 AND source = ''
             AND only_client = '' AND only_without_session = 0`,
        )
        .bind(compiled.tenant, kind, id, issuer),
    ])
    const [told] = (latestChange?.results ?? []) as { change: number }[]
    const [held] = (row?.results ?? []) as RevocationRow[]
    return { change: told?.change ?? 0, row: held ?? null }
  })
}

export interface Revoking {
  readonly wanted: WantedRevocation
  readonly reason: string
  readonly by: string
  /** As the person saw it. */
  readonly after: number
}

/**
 * INVARIANT: one statement, and only where nothing happened to this row since the person looked: a
 * form that is sent twice, or after somebody lifted what it had revoked, finds that something did.
 *
 * A row that was for older tokens only becomes one for all. Says whether it was written.
 */
export async function writeRevocation(
  { people, compiled }: Site,
  { wanted, reason, by, after }: Revoking,
): Promise<boolean> {
  const { kind, id, issuer } = wanted
  const { results } = await people.database
    .prepare(
      `INSERT INTO revocations (tenant, kind, id, issuer, reason, revoked_by, revoked_at)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE ${LATEST_OF_PEOPLE} = ?8
       ON CONFLICT (${KEY.join(', ')}) DO UPDATE SET issued_before = NULL, reason = excluded.reason,
         revoked_by = excluded.revoked_by, revoked_at = excluded.revoked_at
       RETURNING id`,
    )
    .bind(compiled.tenant, kind, id, issuer, reason, by, people.now(), after)
    .run()
  return results.length > 0
}

/** The row that this entry of the history speaks of; null: none in this tenant. */
export function toldBy(
  { people, compiled }: Site,
  change: number,
): Promise<Result<RevocationRow | null, StoreFault>> {
  return people.doors.policies.read((database) =>
    database
      .prepare(
        `SELECT ${COLUMNS}, sequence AS change FROM revocation_history WHERE tenant = ?1 AND sequence = ?2`,
      )
      .bind(compiled.tenant, change)
      .first<RevocationRow>(),
  )
}

/** ?1 tenant, ?2 the entry. */
const IS_THIS_ROW = `(${KEY.join(', ')}) = (SELECT ${KEY.join(', ')} FROM revocation_history
    WHERE tenant = ?1 AND sequence = ?2 AND source = '') AND ${LATEST_OF_ROW} = ?2`

/**
 * INVARIANT: only what a person wrote, and only as it was when the form was made; who lifts it is in
 * the history with the end of the row. Says whether it was lifted.
 */
export async function liftRevocation(
  { people, compiled }: Site,
  change: number,
  by: string,
): Promise<boolean> {
  const { database } = people
  const [, lifted] = await database.batch([
    database
      .prepare(`UPDATE revocations AS held SET lifted_by = ?3 WHERE ${IS_THIS_ROW}`)
      .bind(compiled.tenant, change, by),
    database
      .prepare(`DELETE FROM revocations AS held WHERE ${IS_THIS_ROW} RETURNING id`)
      .bind(compiled.tenant, change),
  ])
  return (lifted?.results.length ?? 0) > 0
}
