/**
 * Which tables are compiled and kept, and which are read afresh at every call. A table in neither
 * list would be a fact that nobody reads: a test compares the lists with `migrations/`.
 */

/** Each moves its tenant's revision on by three triggers (migrations/0005_move_revision.sql). */
export const COMPILED_TABLES = [
  'issuers',
  'servers',
  'tools',
  'tool_labels',
  'policies',
  'sequence_rules',
] as const

export const FRESH_TABLES = [
  'tenants',
  'revision',
  'clients',
  'agents',
  'role_assignments',
  'revocations',
] as const

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
    : `table \`${broken}\` needs its three (migrations/0005_move_revision.sql)`
}

/** What reading needs of a database: a session that began at the primary gives it. */
export type D1Reader = Pick<D1Database, 'prepare' | 'batch'>
