-- What streams have told, and what it means now. Written by Sallyport (src/signals), in one transaction
-- for each event; that it ends tokens is said in `revocations`.

CREATE TABLE signal_stream_states (
  stream  TEXT PRIMARY KEY NOT NULL REFERENCES signal_streams (id),
  tenant  TEXT NOT NULL REFERENCES tenants (id),
  -- As the transmitter last said (SSF 1.0 §8.1.5), and when.
  status  TEXT NOT NULL DEFAULT 'enabled' CHECK (status IN ('enabled', 'paused', 'disabled')),
  status_at INTEGER NOT NULL DEFAULT 0,
  -- Anything that its key had signed, or an answer to a poll; and the latest verification event.
  last_heard_at    INTEGER NOT NULL,
  last_verified_at INTEGER
) STRICT;

-- Every event once: the proof of what was told, and the filter for what is told again.
CREATE TABLE signal_events (
  tenant      TEXT NOT NULL REFERENCES tenants (id),
  stream      TEXT NOT NULL REFERENCES signal_streams (id),
  -- SHA-256 of `jti`, lowercase hex: a name that others choose, at a length that we choose.
  jti_digest  TEXT NOT NULL CHECK (length(jti_digest) = 64),
  event_type  TEXT NOT NULL CHECK (length(event_type) <= 512),
  -- The `sub_id` as it came, as far as it is short.
  subject     TEXT NOT NULL CHECK (length(subject) <= 4000),
  -- When it happened, as it says; where that is more than a minute ahead, when it was received.
  event_at    INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  -- One word for what became of it, and whom it touched: a JSON array.
  effect      TEXT NOT NULL CHECK (effect <> ''),
  targets     TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(targets)),
  -- Of the delivery that was the first. Its effects are written with this row, or not at all.
  receipt     TEXT NOT NULL CHECK (length(receipt) = 36),
  PRIMARY KEY (stream, jti_digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX signal_events_by_time ON signal_events (received_at);

CREATE TRIGGER signal_events_keep_update BEFORE UPDATE ON signal_events BEGIN
  SELECT RAISE(ABORT, 'what a stream told is never changed');
END;
-- A transmitter may tell the same again for 14 days; an older row may be cleared away by people.
CREATE TRIGGER signal_events_keep_delete BEFORE DELETE ON signal_events
WHEN OLD.received_at > (unixepoch() - 14 * 86400) * 1000 BEGIN
  SELECT RAISE(ABORT, 'what a stream told is kept for 14 days');
END;
-- Replacing a row is deleting it, and fires no trigger of deletion.
CREATE TRIGGER signal_events_keep_replace BEFORE INSERT ON signal_events
WHEN EXISTS (SELECT 1 FROM signal_events WHERE stream = NEW.stream AND jti_digest = NEW.jti_digest
             AND receipt <> NEW.receipt) BEGIN
  SELECT RAISE(IGNORE);
END;

-- What was last said of somebody, one row for each topic: the latest event wins, in whichever order
-- they come. Read afresh.
CREATE TABLE signal_states (
  tenant  TEXT NOT NULL REFERENCES tenants (id),
  -- As in `revocations`.
  kind    TEXT NOT NULL CHECK (kind IN ('token', 'token_session', 'client', 'subject', 'issuer')),
  id      TEXT NOT NULL CHECK (id <> ''),
  issuer  TEXT NOT NULL,
  stream  TEXT NOT NULL REFERENCES signal_streams (id),
  -- account: whether it is open. login: a credential changed. assurance, device, risk: as CAEP names them.
  topic   TEXT NOT NULL CHECK (topic IN ('account', 'login', 'assurance', 'device', 'risk')),
  only_client          TEXT NOT NULL DEFAULT '',
  only_without_session INTEGER NOT NULL DEFAULT 0 CHECK (only_without_session IN (0, 1)),
  level   TEXT NOT NULL CHECK (length(level) <= 256),
  raised  INTEGER NOT NULL CHECK (raised IN (0, 1)),
  event_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, id, issuer, stream, topic, only_client, only_without_session)
) STRICT, WITHOUT ROWID;

-- Claims that are no longer what older tokens say (CAEP token-claims-change). Never more than the
-- token: a new one brings that. Read afresh.
CREATE TABLE claim_overlays (
  tenant  TEXT NOT NULL REFERENCES tenants (id),
  kind    TEXT NOT NULL CHECK (kind IN ('token', 'token_session', 'client', 'subject', 'issuer')),
  id      TEXT NOT NULL CHECK (id <> ''),
  issuer  TEXT NOT NULL,
  stream  TEXT NOT NULL REFERENCES signal_streams (id),
  only_client          TEXT NOT NULL DEFAULT '',
  only_without_session INTEGER NOT NULL DEFAULT 0 CHECK (only_without_session IN (0, 1)),
  claim   TEXT NOT NULL CHECK (length(claim) BETWEEN 1 AND 256),
  value   TEXT NOT NULL CHECK (json_valid(value) AND length(value) <= 4000),
  event_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, id, issuer, stream, only_client, only_without_session, claim)
) STRICT, WITHOUT ROWID;
