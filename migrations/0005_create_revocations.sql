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
  revoked_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  PRIMARY KEY (tenant, kind, id, issuer, source, only_client, only_without_session)
) STRICT;
