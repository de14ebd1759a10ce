/**
 * The session's own database, in order of creation. Append only: an object that slept for a year
 * wakes up with the version it had and catches up (docs/storage.md).
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE events (
     sequence INTEGER PRIMARY KEY,
     decision TEXT NOT NULL UNIQUE,
     at       INTEGER NOT NULL,
     actor    TEXT NOT NULL,
     labels   TEXT NOT NULL,
     state    TEXT NOT NULL CHECK (state IN ('pending', 'committed', 'failed', 'withheld', 'denied')),
     answer   TEXT NOT NULL
   ) STRICT;
   CREATE TABLE facts (
     scope TEXT NOT NULL,
     key   TEXT NOT NULL,
     label TEXT NOT NULL,
     fact  TEXT NOT NULL,
     PRIMARY KEY (scope, key, label)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE outbox (
     id      INTEGER PRIMARY KEY AUTOINCREMENT,
     kind    TEXT NOT NULL CHECK (kind IN ('decision', 'outcome')),
     row     TEXT NOT NULL,
     repeats INTEGER NOT NULL DEFAULT 0
   ) STRICT;`,
]

/** Brings the object's database up to date; all or nothing. */
export function migrate(storage: DurableObjectStorage): void {
  storage.transactionSync(() => {
    const { sql } = storage
    sql.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT')
    const found = sql.exec<{ version: number }>('SELECT version FROM schema_version').toArray()[0]
    const version = found?.version ?? 0
    for (const statements of MIGRATIONS.slice(version)) sql.exec(statements)
    if (found === undefined) {
      sql.exec('INSERT INTO schema_version (version) VALUES (?)', MIGRATIONS.length)
    } else if (version < MIGRATIONS.length) {
      sql.exec('UPDATE schema_version SET version = ?', MIGRATIONS.length)
    }
  })
}
