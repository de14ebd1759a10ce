-- What calls touch, who may touch it for whom, and for which purpose. Read afresh at every call.

CREATE TABLE resources (
  tenant       TEXT NOT NULL,
  type         TEXT NOT NULL,
  -- One resource; with `pattern = 1` every resource whose name fits around the one `*`. The exact row
  -- wins, then the pattern with the longest text before its `*`, then the longest pattern.
  id           TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 2000),
  pattern      INTEGER NOT NULL DEFAULT 0 CHECK (pattern IN (0, 1)),
  -- A user of that issuer; both NULL: nobody's.
  owner        TEXT CHECK (owner <> ''),
  owner_issuer TEXT,
  sensitivity  TEXT NOT NULL DEFAULT 'restricted' CHECK (sensitivity IN ('public', 'internal', 'confidential', 'restricted')),
  -- Labels that a call carries because it touches this, a JSON array.
  labels       TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(labels) AND json_type(labels) = 'array'),
  PRIMARY KEY (tenant, type, id, pattern),
  FOREIGN KEY (tenant, type) REFERENCES resource_types (tenant, name),
  CHECK ((owner IS NULL) = (owner_issuer IS NULL)),
  CHECK (pattern = 0 OR length(id) - length(replace(id, '*', '')) = 1)
) STRICT;

CREATE INDEX resources_by_pattern ON resources (tenant, type) WHERE pattern = 1;

-- That this person let this client do this. It names one tool, or one class of access; `purpose` and
-- times are for the record. To take one back, set `revoked_at`; the row stays as proof.
CREATE TABLE consents (
  tenant          TEXT NOT NULL REFERENCES tenants (id),
  id              TEXT NOT NULL CHECK (id <> ''),
  issuer          TEXT NOT NULL,
  subject         TEXT NOT NULL,
  client          TEXT NOT NULL,
  server          TEXT NOT NULL,
  tool            TEXT,
  access          TEXT CHECK (access IN ('read', 'write', 'export', 'admin', 'destructive')),
  purpose         TEXT NOT NULL DEFAULT '',
  -- What the tool was when the person agreed to it; a consent to another definition is outdated.
  definition_hash TEXT CHECK (length(definition_hash) = 64),
  granted_at      INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  expires_at      INTEGER,
  revoked_at      INTEGER,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, server) REFERENCES servers (tenant, name),
  CHECK (tool IS NOT NULL OR access IS NOT NULL),
  CHECK (definition_hash IS NULL OR tool IS NOT NULL)
) STRICT;

CREATE INDEX consents_by_actor ON consents (tenant, issuer, subject, client, server);

-- A declared purpose with bounds. While an actor has one open, calls outside it are refused; it never
-- allows anything by itself. NULL in a bound: the task does not narrow that.
CREATE TABLE tasks (
  tenant      TEXT NOT NULL REFERENCES tenants (id),
  id          TEXT NOT NULL CHECK (id <> ''),
  issuer      TEXT NOT NULL,
  subject     TEXT NOT NULL,
  client      TEXT NOT NULL,
  -- NULL: the client itself acts.
  agent       TEXT,
  purpose     TEXT NOT NULL,
  -- JSON arrays: `server/tool` with `*` for any characters; classes of access.
  tools       TEXT CHECK (json_valid(tools) AND json_type(tools) = 'array'),
  access      TEXT CHECK (json_valid(access) AND json_type(access) = 'array'),
  -- What the person asked for, in their own words, and values that they named: where the arguments of
  -- a call may come from. Whoever opens the task vouches for both.
  asked_for   TEXT CHECK (length(asked_for) <= 16000),
  named_values TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(named_values) AND json_type(named_values) = 'array' AND length(named_values) <= 16000),
  opened_by   TEXT NOT NULL,
  opened_at   INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  approved_by TEXT,
  approved_at INTEGER,
  expires_at  INTEGER NOT NULL,
  closed_at   INTEGER,
  PRIMARY KEY (tenant, id),
  CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
  -- Somebody else than the software that acts under it; whose task it is may open it.
  CHECK (opened_by <> client AND (agent IS NULL OR opened_by <> agent))
) STRICT;

CREATE INDEX tasks_by_actor ON tasks (tenant, issuer, subject, client) WHERE closed_at IS NULL;
