/**
 * Which tables are compiled and kept, and which are read afresh at every call. A table in none of
 * these lists would be a fact that nobody reads: a test compares the lists with `migrations/`.
 */

/** Each moves its tenant's revision on by three triggers (migrations/0006_move_revision.sql). */
export const COMPILED_TABLES = [
  'issuers',
  'servers',
  'tools',
  'tool_access',
  'tool_labels',
  'resource_types',
  'tool_arguments',
  'tool_results',
  'tool_origins',
  'policies',
  'sequence_rules',
] as const

/** What Sallyport itself writes: nobody's file could have a problem with their rows. */
export const OWN_TABLES: ReadonlySet<string> = new Set([
  'revision',
  'tool_sightings',
  'signal_stream_states',
  'signal_states',
  'claim_overlays',
  'signal_events',
])

export const FRESH_TABLES = [
  'tenants',
  'revision',
  'clients',
  'agents',
  'role_assignments',
  'tool_sightings',
  'resources',
  'consents',
  'tasks',
  'task_openers',
  'revocations',
  'pdp_callers',
  'signal_streams',
  'signal_stream_states',
  'signal_states',
  'claim_overlays',
] as const

/** What decisions never read: it tells what the rows were. */
export const HISTORY_TABLES = ['policy_history', 'revocation_history'] as const

/** What only our own pages read (src/people): who is signed in, and what was agreed to. */
export const PAGE_TABLES = ['page_sessions', 'consented_definitions'] as const

/** What only the receiver of signals reads (src/signals): whom identifiers mean, and what was told. */
export const SIGNAL_TABLES = ['subject_aliases', 'signal_events'] as const

/**
 * A number that changes whenever a table is dropped, made or renamed (SQLite's file format §2.6). It
 * is part of every revision: a migration that rebuilds a table and restores its triggers, but forgets
 * to move the revision on, is noticed all the same.
 */
export const SCHEMA_SHAPE =
  "(SELECT CAST(total(rowid * 1000003 + rootpage) AS INTEGER) FROM sqlite_master WHERE type = 'table')"

/** The state of a tenant's compiled rows, as text: `counter:nonce:shape`. */
export const REVISION = `counter || ':' || nonce || ':' || ${SCHEMA_SHAPE}`

/**
 * What moves whenever a row changes that an open call or stream may hang on
 * (migrations/0009_watch_open_calls.sql, 0013_watch_signals.sql): the revision, and a counter of the rows that are read afresh.
 */
export const stateOf = (revision: string, fresh: string): string => `${revision}|${fresh}`

/** Its second half, in SQL. */
export const FRESH = "fresh_counter || ':' || fresh_nonce"

/** How many triggers move that counter. */
const WATCH_TRIGGERS = 35

/** The state of a tenant's rows; null where nothing vouches for it: then anything may have changed. */
export async function readState(database: D1Reader, tenant: string): Promise<string | null> {
  const row = await database
    .prepare(
      `SELECT ${REVISION} AS revision, ${FRESH} AS fresh,
         (SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'revision_*') AS compiled,
         (SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'watched_*') AS watching
       FROM revision WHERE tenant = ?1`,
    )
    .bind(tenant)
    .first<{ revision: string; fresh: string; compiled: number; watching: number }>()
  const isWhole = row?.compiled === REVISION_TRIGGERS && row.watching === WATCH_TRIGGERS
  return isWhole ? stateOf(row.revision, row.fresh) : null
}

/** Insert, update, delete. */
const TRIGGERS_PER_TABLE = 3
export const REVISION_TRIGGERS = COMPILED_TABLES.length * TRIGGERS_PER_TABLE

/**
 * A migration that rebuilds a table drops its triggers without a word. This names the table, for the
 * one who has to mend it; the count itself is part of every reading of the facts.
 */
export async function tableWithoutTriggers(database: D1Reader): Promise<string> {
  const { results } = await database
    .prepare(
      "SELECT tbl_name AS name, count(*) AS triggers FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'revision_*' GROUP BY tbl_name",
    )
    .all<{ name: string; triggers: number }>()
  const found = new Map(results.map(({ name, triggers }) => [name, triggers]))
  const broken = COMPILED_TABLES.find((table) => found.get(table) !== TRIGGERS_PER_TABLE)
  return broken === undefined
    ? 'a trigger named `revision_…` belongs to none of the compiled tables'
    : `table \`${broken}\` needs its three (migrations/0006_move_revision.sql)`
}

/** What reading needs of a database: a session that began at the primary gives it. */
export type D1Reader = Pick<D1Database, 'prepare' | 'batch'>
