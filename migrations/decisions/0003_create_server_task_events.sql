-- What became of tasks that ran on at a server when their ground was gone: that it was, and what the
-- server said when it was told to end them (docs/tasks.md). Append-only, like decisions.
CREATE TABLE server_task_events (
  id         TEXT PRIMARY KEY NOT NULL,
  tenant     TEXT NOT NULL,
  -- Our own name for it; a server's name may come again.
  running    TEXT NOT NULL,
  server     TEXT NOT NULL,
  -- As the server calls it.
  server_task TEXT NOT NULL,
  -- ended: its ground is gone. failed: the server did not take it back yet. cancelled: the server did.
  -- over: the server says that nothing of that name runs. lapsed: given up, or there is no way to say it.
  event      TEXT NOT NULL CHECK (event IN ('ended', 'failed', 'cancelled', 'over', 'lapsed')),
  -- Why it ended, as in credential_events.
  cause      TEXT,
  -- For whom it ran.
  subject_issuer TEXT NOT NULL,
  subject    TEXT NOT NULL,
  client     TEXT NOT NULL,
  agent      TEXT,
  tool       TEXT,
  -- The declared purpose that it was started under.
  task       TEXT,
  -- The decision that let it be started.
  decision   TEXT NOT NULL,
  -- What the message to the server carried, by kind; NULL: none was sent.
  carried    TEXT,
  -- Of the server's answer; NULL: there was none.
  status     INTEGER,
  attempts   INTEGER NOT NULL DEFAULT 0,
  detail     TEXT NOT NULL DEFAULT '',
  happened_at INTEGER NOT NULL,
  shipped_at INTEGER NOT NULL
) STRICT;

CREATE INDEX server_task_events_by_running ON server_task_events (running, happened_at);
CREATE INDEX server_task_events_by_task ON server_task_events (tenant, task, happened_at) WHERE task IS NOT NULL;

CREATE TRIGGER server_task_events_no_update BEFORE UPDATE ON server_task_events BEGIN
  SELECT RAISE(ABORT, 'server_task_events are append-only');
END;
CREATE TRIGGER server_task_events_no_delete BEFORE DELETE ON server_task_events BEGIN
  SELECT RAISE(ABORT, 'server_task_events are append-only');
END;
-- REPLACE deletes the old row without firing a delete trigger. Shipping an event twice is no error.
CREATE TRIGGER server_task_events_no_replace BEFORE INSERT ON server_task_events
WHEN EXISTS (SELECT 1 FROM server_task_events WHERE id = NEW.id) BEGIN
  SELECT RAISE(IGNORE);
END;
