import type { Difference } from '../mcp/definition.ts'

/** How one pinned tool looked in a listing. */
export interface SightingNote {
  readonly tool: string
  /** The pin that it was compared with: a note about an old pin says nothing about a new one. */
  readonly hash: string
  /** null: as pinned. */
  readonly difference: readonly Difference[] | null
}

const NOTE = `INSERT INTO tool_sightings (tenant, server, tool, definition_hash, matched_at, differed_at, difference)
  SELECT ?1, ?2, seen.value ->> 0, seen.value ->> 1,
    CASE WHEN seen.value ->> 2 IS NULL THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) END,
    CASE WHEN seen.value ->> 2 IS NOT NULL THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) END,
    coalesce(seen.value ->> 2, '[]')
  FROM json_each(?3) AS seen WHERE true
  ON CONFLICT (tenant, server, tool, definition_hash) DO UPDATE SET
    matched_at = coalesce(excluded.matched_at, matched_at),
    differed_at = coalesce(excluded.differed_at, differed_at),
    difference = CASE WHEN excluded.differed_at IS NULL THEN difference ELSE excluded.difference END`

/** Differences are long, and one value that is bound must stay under D1's 2 MB. */
const NOTES_AT_ONCE = 20

/** The only rows that Sallyport itself writes into the database of policies. */
export class SightingStore {
  readonly #database: D1Database

  constructor(database: D1Database) {
    this.#database = database
  }

  /** INVARIANT: a difference once seen stays, however often the tool looks right afterwards. */
  async note(tenant: string, server: string, notes: readonly SightingNote[]): Promise<void> {
    const rows = notes.map(({ tool, hash, difference }) => [
      tool,
      hash,
      difference === null ? null : JSON.stringify(difference),
    ])
    for (let from = 0; from < rows.length; from += NOTES_AT_ONCE) {
      const some = JSON.stringify(rows.slice(from, from + NOTES_AT_ONCE))
      await this.#database.prepare(NOTE).bind(tenant, server, some).run()
    }
  }

  /** What tools were pinned as; for the difference that people are shown. */
  async pinned(
    tenant: string,
    server: string,
    tools: readonly string[],
  ): Promise<ReadonlyMap<string, string>> {
    const { results } = await this.#database
      .prepare(
        `SELECT name, definition FROM tools WHERE tenant = ?1 AND server = ?2 AND definition IS NOT NULL
           AND name IN (SELECT value FROM json_each(?3))`,
      )
      .bind(tenant, server, JSON.stringify(tools))
      .all<{ name: string; definition: string }>()
    return new Map(results.map(({ name, definition }) => [name, definition]))
  }
}
