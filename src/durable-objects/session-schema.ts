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

  // What a call was and what came of it, so that the history can be told anew under other rules: as it
  // is, before the next call, because the facts that were kept so far are dropped.
  `ALTER TABLE events ADD COLUMN task TEXT;
   ALTER TABLE events ADD COLUMN server TEXT NOT NULL DEFAULT '';
   ALTER TABLE events ADD COLUMN tool TEXT NOT NULL DEFAULT '';
   ALTER TABLE events ADD COLUMN access TEXT NOT NULL DEFAULT '';
   ALTER TABLE events ADD COLUMN fixed TEXT NOT NULL DEFAULT '[]';
   ALTER TABLE events ADD COLUMN possible TEXT NOT NULL DEFAULT '[]';
   ALTER TABLE events ADD COLUMN arguments TEXT NOT NULL DEFAULT 'null';
   ALTER TABLE events ADD COLUMN ended INTEGER;
   ALTER TABLE events ADD COLUMN answered INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE messages (
     id          INTEGER PRIMARY KEY,
     sequence    INTEGER NOT NULL,
     after       INTEGER NOT NULL,
     observation TEXT NOT NULL
   ) STRICT;
   CREATE INDEX messages_by_event ON messages (sequence);
   CREATE TABLE seen_tools (
     server TEXT NOT NULL,
     tool   TEXT NOT NULL,
     PRIMARY KEY (server, tool)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO seen_tools VALUES ('', '');
   DELETE FROM seen_tools WHERE NOT EXISTS (SELECT 1 FROM events);
   DROP TABLE facts;
   CREATE TABLE memory (
     kind    TEXT NOT NULL,
     id      TEXT NOT NULL,
     touched INTEGER NOT NULL,
     key     TEXT NOT NULL,
     value   TEXT NOT NULL,
     PRIMARY KEY (kind, id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE settings (
     name  TEXT PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,

  // What is left of calls that are no longer kept one by one.
  `CREATE TABLE folded (
     id       INTEGER PRIMARY KEY,
     actor    TEXT NOT NULL,
     server   TEXT NOT NULL,
     tool     TEXT NOT NULL,
     denied   INTEGER NOT NULL,
     labels   TEXT NOT NULL,
     fixed    TEXT NOT NULL,
     possible TEXT NOT NULL,
     brought  TEXT NOT NULL,
     times    TEXT NOT NULL
   ) STRICT;
   CREATE INDEX folded_by_tool ON folded (server, tool, actor);`,

  // Proofs of possession that may not come again.
  `CREATE TABLE used_proofs (
     id         TEXT PRIMARY KEY,
     request    TEXT NOT NULL,
     expires_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX used_proofs_by_age ON used_proofs (expires_at);`,

  // What a server's task was made by, so that whoever asks for it is decided as that call.
  `CREATE TABLE server_tasks (
     id        INTEGER PRIMARY KEY AUTOINCREMENT,
     actor     TEXT NOT NULL,
     server    TEXT NOT NULL,
     task      TEXT NOT NULL,
     entry     TEXT NOT NULL,
     arguments TEXT NOT NULL,
     UNIQUE (actor, server, task)
   ) STRICT;`,

  // Legacy MCP sessions, what servers have asked in them, and calls whose streams broke off.
  `CREATE TABLE mcp_sessions (
     id           TEXT PRIMARY KEY,
     actor        TEXT NOT NULL,
     server       TEXT NOT NULL,
     upstream     TEXT,
     protocol     TEXT,
     capabilities TEXT NOT NULL,
     used_at      INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX mcp_sessions_by_actor ON mcp_sessions (actor, server, used_at);
   CREATE INDEX mcp_sessions_by_age ON mcp_sessions (used_at);
   CREATE TABLE mcp_asked (
     place       TEXT NOT NULL,
     request     TEXT NOT NULL,
     asked_at    INTEGER NOT NULL,
     answered_by TEXT,
     PRIMARY KEY (place, request)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE mcp_suspended (
     place        TEXT NOT NULL,
     decision     TEXT NOT NULL,
     body         TEXT NOT NULL,
     task         TEXT,
     suspended_at INTEGER NOT NULL,
     PRIMARY KEY (place, decision)
   ) STRICT, WITHOUT ROWID;`,

  // Calls that were admitted under a task, where somebody bounds their number.
  `CREATE TABLE task_calls (
     task       TEXT PRIMARY KEY,
     calls      INTEGER NOT NULL,
     kept_until INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX task_calls_by_age ON task_calls (kept_until);`,

  // The declared task of the call that made a server's, or in which a server asked; NULL: it had none.
  `ALTER TABLE server_tasks ADD COLUMN under_task TEXT;
   ALTER TABLE mcp_asked ADD COLUMN task TEXT;`,
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
