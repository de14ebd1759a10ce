-- What is no longer trusted, whatever tokens say. Read afresh at every call; to lift one, delete it.
CREATE TABLE revocations (
  tenant     TEXT NOT NULL REFERENCES tenants (id),
  kind       TEXT NOT NULL CHECK (kind IN ('token', 'token_session', 'proof_key', 'session', 'client', 'subject', 'agent', 'server', 'tool', 'issuer_key', 'issuer', 'tenant', 'consent', 'task')),
  -- token: its `jti`, never its text; token_session: the `sid` of the login that it came from;
  -- proof_key: the thumbprint of a DPoP key, certificate or workload key (RFC 7638, RFC 8705);
  -- issuer_key: the `kid` of a key of `issuer`; session: the session key that records show; tool:
  -- `server/tool`; otherwise the thing's own id (of a consent or task too).
  id         TEXT NOT NULL CHECK (id <> ''),
  -- The issuer that names a token, login, key, client, subject or agent; `*` for any of this tenant.
  issuer     TEXT NOT NULL DEFAULT '*' CHECK (issuer <> ''),
  -- Who says so: '' for people, else a stream and its topic. Nobody replaces or lifts another's row.
  source     TEXT NOT NULL DEFAULT '',
  -- Only tokens that were issued at or before this moment, or do not say when; NULL: all.
  issued_before INTEGER,
  -- Only tokens of this client; '': of any. 1: only tokens that name no login (`sid`).
  only_client          TEXT NOT NULL DEFAULT '',
  only_without_session INTEGER NOT NULL DEFAULT 0 CHECK (only_without_session IN (0, 1)),
  reason     TEXT NOT NULL DEFAULT '',
  revoked_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)) CHECK (revoked_at >= 0),
  -- Which person or door wrote it, such as `administrator carol@acme.example`; '': SQL, or the source.
  revoked_by TEXT NOT NULL DEFAULT '' CHECK (length(revoked_by) <= 1000),
  -- Set in the transaction that deletes the row, so that the history can say who that was.
  lifted_by  TEXT NOT NULL DEFAULT '' CHECK (length(lifted_by) <= 1000),
  PRIMARY KEY (tenant, kind, id, issuer, source, only_client, only_without_session)
) STRICT;

-- For the list that people see. Partial, though all rows are in it: a planner that knows no figures
-- would take it for `max(revoked_at)` of one thing, and read every row of the tenant at each call.
CREATE INDEX revocations_by_time ON revocations (tenant, revoked_at) WHERE revoked_at >= 0;

-- Every state that a revocation ever had, written by triggers: who revoked and who lifted what, and
-- when, also by SQL. Decisions never read it.
CREATE TABLE revocation_history (
  -- Above nought: to a trigger an entry is at -1 before it has its place, and would find one there.
  sequence   INTEGER PRIMARY KEY NOT NULL CHECK (sequence > 0),
  -- The row after the change; after a delete as it was before.
  tenant     TEXT NOT NULL,
  kind       TEXT NOT NULL,
  id         TEXT NOT NULL,
  issuer     TEXT NOT NULL,
  source     TEXT NOT NULL,
  issued_before INTEGER,
  only_client          TEXT NOT NULL,
  only_without_session INTEGER NOT NULL,
  reason     TEXT NOT NULL,
  revoked_at INTEGER NOT NULL,
  revoked_by TEXT NOT NULL,
  -- An insert where one stands already: it was replaced.
  change     TEXT NOT NULL CHECK (change IN ('insert', 'update', 'delete')),
  -- '': SQL, or for what the row of a stream says the stream itself.
  changed_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
) STRICT;

CREATE INDEX revocation_history_by_row ON revocation_history
  (tenant, kind, id, issuer, source, only_client, only_without_session);
CREATE INDEX revocation_history_by_tenant ON revocation_history (tenant);

CREATE TRIGGER revocations_told_insert AFTER INSERT ON revocations BEGIN
  INSERT INTO revocation_history (tenant, kind, id, issuer, source, issued_before, only_client,
    only_without_session, reason, revoked_at, revoked_by, change, changed_by)
  VALUES (NEW.tenant, NEW.kind, NEW.id, NEW.issuer, NEW.source, NEW.issued_before, NEW.only_client,
    NEW.only_without_session, NEW.reason, NEW.revoked_at, NEW.revoked_by, 'insert', NEW.revoked_by);
END;
-- That a row is about to be lifted is told with its end.
CREATE TRIGGER revocations_told_update AFTER UPDATE ON revocations
WHEN (OLD.tenant, OLD.kind, OLD.id, OLD.issuer, OLD.source, OLD.issued_before, OLD.only_client,
      OLD.only_without_session, OLD.reason, OLD.revoked_at, OLD.revoked_by)
  IS NOT (NEW.tenant, NEW.kind, NEW.id, NEW.issuer, NEW.source, NEW.issued_before, NEW.only_client,
      NEW.only_without_session, NEW.reason, NEW.revoked_at, NEW.revoked_by)
BEGIN
  -- A row that changes its name is gone under the old one.
  INSERT INTO revocation_history (tenant, kind, id, issuer, source, issued_before, only_client,
    only_without_session, reason, revoked_at, revoked_by, change, changed_by)
  SELECT OLD.tenant, OLD.kind, OLD.id, OLD.issuer, OLD.source, OLD.issued_before, OLD.only_client,
    OLD.only_without_session, OLD.reason, OLD.revoked_at, OLD.revoked_by, 'delete', ''
  WHERE (OLD.tenant, OLD.kind, OLD.id, OLD.issuer, OLD.source, OLD.only_client, OLD.only_without_session)
    IS NOT (NEW.tenant, NEW.kind, NEW.id, NEW.issuer, NEW.source, NEW.only_client, NEW.only_without_session);
  -- Only who says so at that very moment did it: a name that was left standing did not.
  INSERT INTO revocation_history (tenant, kind, id, issuer, source, issued_before, only_client,
    only_without_session, reason, revoked_at, revoked_by, change, changed_by)
  VALUES (NEW.tenant, NEW.kind, NEW.id, NEW.issuer, NEW.source, NEW.issued_before, NEW.only_client,
    NEW.only_without_session, NEW.reason, NEW.revoked_at, NEW.revoked_by, 'update',
    iif(NEW.revoked_at IS OLD.revoked_at, '', NEW.revoked_by));
END;
CREATE TRIGGER revocations_told_delete AFTER DELETE ON revocations BEGIN
  INSERT INTO revocation_history (tenant, kind, id, issuer, source, issued_before, only_client,
    only_without_session, reason, revoked_at, revoked_by, change, changed_by)
  VALUES (OLD.tenant, OLD.kind, OLD.id, OLD.issuer, OLD.source, OLD.issued_before, OLD.only_client,
    OLD.only_without_session, OLD.reason, OLD.revoked_at, OLD.revoked_by, 'delete', OLD.lifted_by);
END;

CREATE TRIGGER revocation_history_no_update BEFORE UPDATE ON revocation_history BEGIN
  SELECT RAISE(ABORT, 'the history of revocations is append-only');
END;
CREATE TRIGGER revocation_history_no_delete BEFORE DELETE ON revocation_history BEGIN
  SELECT RAISE(ABORT, 'the history of revocations is append-only');
END;
-- REPLACE deletes the old row without firing a delete trigger.
CREATE TRIGGER revocation_history_no_replace BEFORE INSERT ON revocation_history
WHEN EXISTS (SELECT 1 FROM revocation_history WHERE sequence = NEW.sequence) BEGIN
  SELECT RAISE(ABORT, 'the history of revocations is append-only');
END;
