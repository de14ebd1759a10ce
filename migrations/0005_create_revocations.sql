-- What is no longer trusted, whatever tokens say. Read afresh at every call; to lift one, delete it.
CREATE TABLE revocations (
  tenant     TEXT NOT NULL REFERENCES tenants (id),
  kind       TEXT NOT NULL CHECK (kind IN ('token', 'session', 'client', 'subject', 'agent', 'server', 'tool', 'issuer', 'tenant', 'consent', 'task')),
  -- token: its `jti`; session: the session key that records show; tool: `server/tool`; otherwise the
  -- thing's own id (of a consent or task too).
  id         TEXT NOT NULL CHECK (id <> ''),
  -- The issuer that names a token, client, subject or agent; `*` for any issuer of this tenant.
  issuer     TEXT NOT NULL DEFAULT '*' CHECK (issuer <> ''),
  reason     TEXT NOT NULL DEFAULT '',
  revoked_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  PRIMARY KEY (tenant, kind, id, issuer)
) STRICT;
