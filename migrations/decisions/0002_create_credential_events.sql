-- What became of tokens that issuers gave for upstreams: that one was given, for whom and what, that its
-- ground was gone, and what the issuer said when it was taken back. Append-only, like decisions.
CREATE TABLE credential_events (
  id         TEXT PRIMARY KEY NOT NULL,
  tenant     TEXT NOT NULL,
  -- Our own name for the token; of the token itself nothing is kept here.
  credential TEXT NOT NULL,
  -- issued: it may be used. refused: it came and was not what was asked for. ended: it is used no more.
  -- failed: the issuer did not take it back yet. revoked: the issuer did. lapsed: it is dead by itself.
  event      TEXT NOT NULL CHECK (event IN ('issued', 'refused', 'ended', 'failed', 'revoked', 'lapsed')),
  -- Why it ended: a reason of door two, `revoked:` and what was revoked, `task_ended`, `expired`.
  cause      TEXT,
  -- Who gave it.
  issuer     TEXT NOT NULL,
  -- For whom.
  subject_issuer TEXT NOT NULL,
  subject    TEXT NOT NULL,
  client     TEXT NOT NULL,
  agent      TEXT,
  server     TEXT NOT NULL,
  task       TEXT,
  -- The decision for which it was got.
  decision   TEXT NOT NULL,
  -- Of the issuer's answer; NULL: there was none.
  status     INTEGER,
  attempts   INTEGER NOT NULL DEFAULT 0,
  detail     TEXT NOT NULL DEFAULT '',
  happened_at INTEGER NOT NULL,
  shipped_at INTEGER NOT NULL
) STRICT;

CREATE INDEX credential_events_by_credential ON credential_events (credential, happened_at);
CREATE INDEX credential_events_by_task ON credential_events (tenant, task, happened_at) WHERE task IS NOT NULL;

CREATE TRIGGER credential_events_no_update BEFORE UPDATE ON credential_events BEGIN
  SELECT RAISE(ABORT, 'credential_events are append-only');
END;
CREATE TRIGGER credential_events_no_delete BEFORE DELETE ON credential_events BEGIN
  SELECT RAISE(ABORT, 'credential_events are append-only');
END;
-- REPLACE deletes the old row without firing a delete trigger. Shipping an event twice is no error.
CREATE TRIGGER credential_events_no_replace BEFORE INSERT ON credential_events
WHEN EXISTS (SELECT 1 FROM credential_events WHERE id = NEW.id) BEGIN
  SELECT RAISE(IGNORE);
END;
