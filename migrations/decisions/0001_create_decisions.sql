-- The decision log. Append-only: sessions hold each record until it has arrived here.

CREATE TABLE decisions (
  id         TEXT PRIMARY KEY NOT NULL,
  tenant     TEXT NOT NULL,
  session    TEXT NOT NULL,
  -- The place of the decision in its session's order; gapless for granted calls and denials alike.
  sequence   INTEGER NOT NULL,
  decided_at INTEGER NOT NULL,
  decision   TEXT NOT NULL CHECK (decision IN ('allow', 'deny', 'approve')),
  reason     TEXT NOT NULL,
  -- The reason that shadow policies or a server under observation would have led to; NULL where
  -- nothing of the kind took part.
  would_be   TEXT,
  issuer     TEXT NOT NULL,
  subject    TEXT NOT NULL,
  client     TEXT NOT NULL,
  agent      TEXT,
  server     TEXT NOT NULL,
  method     TEXT NOT NULL,
  tool       TEXT,
  -- The whole record with all its inputs (docs/records.md).
  record     TEXT NOT NULL CHECK (json_valid(record)),
  shipped_at INTEGER NOT NULL
) STRICT;

CREATE INDEX decisions_by_time ON decisions (tenant, decided_at);
CREATE INDEX decisions_by_session ON decisions (session, sequence);

-- What became of a call that was let through. A row of its own, because decisions never change.
CREATE TABLE outcomes (
  decision   TEXT PRIMARY KEY NOT NULL,
  tenant     TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('committed', 'failed', 'withheld')),
  detail     TEXT NOT NULL DEFAULT '',
  ended_at   INTEGER NOT NULL
) STRICT;

CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions BEGIN
  SELECT RAISE(ABORT, 'decisions are append-only');
END;
CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions BEGIN
  SELECT RAISE(ABORT, 'decisions are append-only');
END;
CREATE TRIGGER outcomes_no_update BEFORE UPDATE ON outcomes BEGIN
  SELECT RAISE(ABORT, 'outcomes are append-only');
END;
CREATE TRIGGER outcomes_no_delete BEFORE DELETE ON outcomes BEGIN
  SELECT RAISE(ABORT, 'outcomes are append-only');
END;

-- REPLACE deletes the old row without firing a delete trigger. Shipping a record twice is no error.
CREATE TRIGGER decisions_no_replace BEFORE INSERT ON decisions
WHEN EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id) BEGIN
  SELECT RAISE(IGNORE);
END;
CREATE TRIGGER outcomes_no_replace BEFORE INSERT ON outcomes
WHEN EXISTS (SELECT 1 FROM outcomes WHERE decision = NEW.decision) BEGIN
  SELECT RAISE(IGNORE);
END;
