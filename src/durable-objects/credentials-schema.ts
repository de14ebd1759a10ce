/**
 * The schema of a subject's credentials, append only: an object that slept for a year catches up in one
 * transaction.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE credentials (
     id         TEXT PRIMARY KEY NOT NULL,
     -- Digest of everything that two calls must share to share a token.
     place      TEXT NOT NULL,
     state      TEXT NOT NULL CHECK (state IN ('live', 'ending')),
     -- The token and how it is taken back, for nobody else to read.
     sealed     TEXT NOT NULL,
     -- For whom and what: JSON, without a credential in it.
     about      TEXT NOT NULL,
     usable_until INTEGER NOT NULL,
     gone_at    INTEGER NOT NULL,
     attempts   INTEGER NOT NULL DEFAULT 0,
     next_attempt_at INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE UNIQUE INDEX credentials_live ON credentials (place) WHERE state = 'live';
   CREATE TABLE events (
     id  INTEGER PRIMARY KEY AUTOINCREMENT,
     row TEXT NOT NULL
   ) STRICT;`,
  `CREATE TABLE running_tasks (
     id         TEXT PRIMARY KEY NOT NULL,
     -- The client and the agent within this subject.
     actor      TEXT NOT NULL,
     server     TEXT NOT NULL,
     -- As the server calls it.
     task       TEXT NOT NULL,
     state      TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'ending')),
     -- For whom, by what it ends, and how its server is spoken to: JSON, without a credential in it.
     begun      TEXT NOT NULL,
     forget_at  INTEGER NOT NULL,
     ended_at   INTEGER NOT NULL DEFAULT 0,
     attempts   INTEGER NOT NULL DEFAULT 0,
     next_attempt_at INTEGER NOT NULL DEFAULT 0,
     UNIQUE (actor, server, task)
   ) STRICT;
   CREATE TABLE task_events (
     id  INTEGER PRIMARY KEY AUTOINCREMENT,
     row TEXT NOT NULL
   ) STRICT;`,
]

export function migrate(storage: DurableObjectStorage): void {
  storage.transactionSync(() => {
    const { sql } = storage
    sql.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT')
    const [row] = sql.exec<{ version: number }>('SELECT version FROM schema_version').toArray()
    const version = row?.version ?? 0
    // INVARIANT: what a later age has made is not made again when it comes back.
    if (version >= MIGRATIONS.length) return
    for (const step of MIGRATIONS.slice(version)) sql.exec(step)
    sql.exec('DELETE FROM schema_version')
    sql.exec('INSERT INTO schema_version (version) VALUES (?)', MIGRATIONS.length)
  })
}
