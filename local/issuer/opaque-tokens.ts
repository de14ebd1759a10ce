// Access tokens that say nothing by themselves, and those of both forms that were taken back.

export class OpaqueTokens {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec(`
      CREATE TABLE IF NOT EXISTS opaque_tokens (
        digest TEXT PRIMARY KEY,
        claims_json TEXT NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS revoked_tokens (digest TEXT PRIMARY KEY) STRICT;
      CREATE TABLE IF NOT EXISTS revocations (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        claims_json TEXT NOT NULL
      ) STRICT;
    `)
  }

  keep(digest: string, claimsJson: string): void {
    this.#sql.exec(
      'INSERT INTO opaque_tokens (digest, claims_json) VALUES (?, ?)',
      digest,
      claimsJson,
    )
  }

  /** The claims that an opaque token stands for, as JSON; null: there is no such token. */
  find(digest: string): string | null {
    const [row] = this.#sql
      .exec<{ claims_json: string }>(
        'SELECT claims_json FROM opaque_tokens WHERE digest = ?',
        digest,
      )
      .toArray()
    return row?.claims_json ?? null
  }

  /** `claims`: what the token said when somebody took it back, for the log; null: nobody did. */
  revoke(digest: string, claims: string | null): void {
    this.#sql.exec('INSERT OR IGNORE INTO revoked_tokens (digest) VALUES (?)', digest)
    if (claims !== null) this.#sql.exec('INSERT INTO revocations (claims_json) VALUES (?)', claims)
  }

  /** What was taken back, in order. */
  revocations(): string[] {
    return this.#sql
      .exec<{ claims_json: string }>('SELECT claims_json FROM revocations ORDER BY position')
      .toArray()
      .map((row) => row.claims_json)
  }

  isRevoked(digest: string): boolean {
    return (
      this.#sql.exec('SELECT 1 FROM revoked_tokens WHERE digest = ?', digest).toArray().length > 0
    )
  }
}
