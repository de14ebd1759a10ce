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
  -- The person's own words, if they gave any.
  purpose         TEXT NOT NULL DEFAULT '' CHECK (length(purpose) <= 1000),
  -- What the tool was when the person agreed to it; a consent to another definition is outdated.
  definition_hash TEXT CHECK (length(definition_hash) = 64),
  granted_at      INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  expires_at      INTEGER,
  revoked_at      INTEGER,
  -- Who took it back, where that is told: `person`, or `administrator` and a name.
  revoked_by      TEXT CHECK (revoked_by <> ''),
  -- Until when it holds, or held; one without an end comes after all others.
  ends_at         INTEGER NOT NULL GENERATED ALWAYS AS
    (min(coalesce(revoked_at, 9007199254740991), coalesce(expires_at, 9007199254740991))) VIRTUAL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, server) REFERENCES servers (tenant, name),
  CHECK (tool IS NOT NULL OR access IS NOT NULL),
  CHECK (definition_hash IS NULL OR tool IS NOT NULL),
  -- Nobody takes back what was not given yet: that would deny what was allowed in between.
  CHECK (revoked_at >= granted_at),
  CHECK (revoked_by IS NULL OR revoked_at IS NOT NULL)
  -- Without a rowid there is no second key by which REPLACE could push a row out.
) STRICT, WITHOUT ROWID;

-- What holds, and after it what ended last: nobody reads all that was ever given.
CREATE INDEX consents_by_actor ON consents (tenant, issuer, subject, server, client, ends_at);
CREATE INDEX consents_by_person ON consents (tenant, issuer, subject, server, ends_at);
CREATE INDEX consents_by_server ON consents (tenant, server, granted_at, id);

-- Every call reads what holds, so that may be so much and no more. What ended within the last day
-- counts along, or somebody could write rows without end.
CREATE TRIGGER consents_bound BEFORE INSERT ON consents
WHEN (SELECT count(*) FROM consents INDEXED BY consents_by_actor
      WHERE tenant = NEW.tenant AND issuer = NEW.issuer AND subject = NEW.subject
        AND server = NEW.server AND client = NEW.client
        AND ends_at > (unixepoch() - 86400) * 1000) >= 200
BEGIN
  SELECT RAISE(ABORT, 'at most 200 consents to one client at one server hold or ended within a day');
END;

-- INVARIANT: with the decision log these rows prove which client could do what for whom, and when. A
-- row never changes but once: when it is taken back.
CREATE TRIGGER consents_keep_update BEFORE UPDATE ON consents
WHEN OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL
  OR NEW.tenant <> OLD.tenant OR NEW.id <> OLD.id OR NEW.issuer <> OLD.issuer
  OR NEW.subject <> OLD.subject OR NEW.client <> OLD.client OR NEW.server <> OLD.server
  OR NEW.tool IS NOT OLD.tool OR NEW.access IS NOT OLD.access OR NEW.purpose <> OLD.purpose
  OR NEW.definition_hash IS NOT OLD.definition_hash OR NEW.granted_at <> OLD.granted_at
  OR NEW.expires_at IS NOT OLD.expires_at
BEGIN
  SELECT RAISE(ABORT, 'a consent is proof: only revoked_at (and revoked_by with it) is set, once');
END;
-- What was allowed in between would look as if it had not been; a minute is for clocks.
CREATE TRIGGER consents_keep_past BEFORE UPDATE OF revoked_at ON consents
WHEN NEW.revoked_at < min((unixepoch() - 60) * 1000, coalesce(NEW.expires_at, 9007199254740991)) BEGIN
  SELECT RAISE(ABORT, 'a consent is proof: it is taken back now, not at an earlier time');
END;
CREATE TRIGGER consents_keep_delete BEFORE DELETE ON consents BEGIN
  SELECT RAISE(ABORT, 'a consent is proof: set its revoked_at to take it back');
END;
-- REPLACE deletes the old row without firing a delete trigger.
CREATE TRIGGER consents_keep_replace BEFORE INSERT ON consents
WHEN EXISTS (SELECT 1 FROM consents WHERE tenant = NEW.tenant AND id = NEW.id) BEGIN
  SELECT RAISE(ABORT, 'a consent is proof: give a new one another id');
END;

-- What people agreed to, by the hash that consents name: a pin forgets what was pinned before it.
CREATE TABLE consented_definitions (
  tenant     TEXT NOT NULL REFERENCES tenants (id),
  hash       TEXT NOT NULL CHECK (length(hash) = 64),
  definition TEXT NOT NULL CHECK (json_valid(definition) AND length(definition) <= 1000000),
  PRIMARY KEY (tenant, hash)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER consented_definitions_keep_update BEFORE UPDATE ON consented_definitions BEGIN
  SELECT RAISE(ABORT, 'what people agreed to is append-only');
END;
CREATE TRIGGER consented_definitions_keep_delete BEFORE DELETE ON consented_definitions BEGIN
  SELECT RAISE(ABORT, 'what people agreed to is append-only');
END;
CREATE TRIGGER consented_definitions_keep_replace BEFORE INSERT ON consented_definitions
WHEN EXISTS (SELECT 1 FROM consented_definitions WHERE tenant = NEW.tenant AND hash = NEW.hash) BEGIN
  SELECT RAISE(ABORT, 'what people agreed to is append-only');
END;

-- A declared purpose with bounds. While an actor has one open, calls outside it are refused; it never
-- allows anything by itself. NULL in a bound: the task does not narrow that. A row never changes but
-- once, when it is closed: another purpose, a longer time or an approval is another task.
CREATE TABLE tasks (
  tenant      TEXT NOT NULL REFERENCES tenants (id),
  -- `txn:…` is for tasks that an issuer declares in its tokens: those have no row. The rest is what
  -- `/tasks/{id}` can name: bytes, and not the address of a server called `tasks`.
  id          TEXT NOT NULL CHECK (length(CAST(id AS BLOB)) BETWEEN 1 AND 256 AND id NOT GLOB 'txn:*' AND id <> 'mcp'),
  issuer      TEXT NOT NULL,
  subject     TEXT NOT NULL,
  client      TEXT NOT NULL,
  -- NULL: the client itself acts.
  agent       TEXT,
  purpose     TEXT NOT NULL CHECK (length(purpose) <= 1000),
  -- JSON arrays: `server/tool` with `*` for any characters; classes of access; classes of sensitivity of
  -- the resources that a call may touch.
  tools       TEXT CHECK (json_valid(tools) AND json_type(tools) = 'array' AND length(tools) <= 16000),
  access      TEXT CHECK (json_valid(access) AND json_type(access) = 'array' AND length(access) <= 1000),
  data_classes TEXT CHECK (json_valid(data_classes) AND json_type(data_classes) = 'array' AND length(data_classes) <= 1000),
  -- How many calls may be admitted under it, counted where they are admitted.
  max_calls   INTEGER CHECK (max_calls >= 1),
  -- What the person asked for, in their own words, and values that they named: where the arguments of
  -- a call may come from. Whoever opens the task vouches for both.
  asked_for   TEXT CHECK (length(asked_for) <= 16000),
  named_values TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(named_values) AND json_type(named_values) = 'array' AND length(named_values) <= 16000),
  -- Who opened it: of which kind and issuer (NULL: that of the task), and the client that held their
  -- token (NULL: it was written by SQL).
  opened_by   TEXT NOT NULL,
  opened_by_kind TEXT NOT NULL DEFAULT 'user' CHECK (opened_by_kind IN ('user', 'client', 'agent')),
  opened_by_issuer TEXT CHECK (opened_by_issuer <> ''),
  opened_through TEXT CHECK (opened_through <> ''),
  opened_at   INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  approved_by TEXT,
  approved_at INTEGER,
  -- At most the end of the year 9999: what lies behind it is no time that anybody meant.
  expires_at  INTEGER NOT NULL CHECK (expires_at <= 253402300799000),
  closed_at   INTEGER,
  closed_by   TEXT CHECK (closed_by <> ''),
  -- SHA-256 of what the actor shows to say which of its tasks a call belongs to, lowercase hex.
  handle_digest TEXT CHECK (length(handle_digest) = 64 AND handle_digest NOT GLOB '*[^0-9a-f]*'),
  -- Of the request that opened it: digests of its opener with its idempotency key, and of its body.
  request_key TEXT CHECK (length(request_key) = 64),
  request_digest TEXT CHECK (length(request_digest) = 64),
  PRIMARY KEY (tenant, id),
  CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
  CHECK (closed_by IS NULL OR closed_at IS NOT NULL),
  CHECK ((request_key IS NULL) = (request_digest IS NULL)),
  -- Somebody else than the software that acts under it, however its name is written; whose task it is may
  -- open it, but not through that software.
  CHECK (rtrim(lower(replace(opened_by, ' ', '')), '/') NOT IN
    (rtrim(lower(replace(client, ' ', '')), '/'), rtrim(lower(replace(coalesce(agent, ''), ' ', '')), '/'))),
  CHECK (opened_through IS NULL OR rtrim(lower(replace(opened_through, ' ', '')), '/') NOT IN
    (rtrim(lower(replace(client, ' ', '')), '/'), rtrim(lower(replace(coalesce(agent, ''), ' ', '')), '/')))
) STRICT, WITHOUT ROWID;

CREATE INDEX tasks_by_actor ON tasks (tenant, issuer, subject, client, agent, expires_at) WHERE closed_at IS NULL;
CREATE INDEX tasks_by_handle ON tasks (tenant, handle_digest) WHERE handle_digest IS NOT NULL;
CREATE INDEX tasks_by_request ON tasks (tenant, request_key) WHERE request_key IS NOT NULL;

-- INVARIANT: with the decision log these rows prove under which purpose a call was made, and who
-- answered for it.
CREATE TRIGGER tasks_keep_update BEFORE UPDATE ON tasks
WHEN OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL
  OR NEW.tenant <> OLD.tenant OR NEW.id <> OLD.id OR NEW.issuer <> OLD.issuer
  OR NEW.subject <> OLD.subject OR NEW.client <> OLD.client OR NEW.agent IS NOT OLD.agent
  OR NEW.purpose <> OLD.purpose OR NEW.tools IS NOT OLD.tools OR NEW.access IS NOT OLD.access
  OR NEW.data_classes IS NOT OLD.data_classes OR NEW.max_calls IS NOT OLD.max_calls
  OR NEW.asked_for IS NOT OLD.asked_for OR NEW.named_values <> OLD.named_values
  OR NEW.opened_by <> OLD.opened_by OR NEW.opened_by_kind <> OLD.opened_by_kind
  OR NEW.opened_by_issuer IS NOT OLD.opened_by_issuer OR NEW.opened_through IS NOT OLD.opened_through
  OR NEW.opened_at <> OLD.opened_at OR NEW.approved_by IS NOT OLD.approved_by
  OR NEW.approved_at IS NOT OLD.approved_at OR NEW.expires_at <> OLD.expires_at
  OR NEW.handle_digest IS NOT OLD.handle_digest OR NEW.request_key IS NOT OLD.request_key
  OR NEW.request_digest IS NOT OLD.request_digest
BEGIN
  SELECT RAISE(ABORT, 'a task is proof: only closed_at (and closed_by with it) is set, once');
END;
-- What was called in between would look as if it had been outside; a minute is for clocks.
CREATE TRIGGER tasks_keep_past BEFORE UPDATE OF closed_at ON tasks
WHEN NEW.closed_at < (unixepoch() - 60) * 1000 BEGIN
  SELECT RAISE(ABORT, 'a task is proof: it is closed now, not at an earlier time');
END;
CREATE TRIGGER tasks_keep_delete BEFORE DELETE ON tasks BEGIN
  SELECT RAISE(ABORT, 'a task is proof: set its closed_at to end it');
END;
-- REPLACE deletes the old row without firing a delete trigger. And one handle, one request: one task.
CREATE TRIGGER tasks_keep_replace BEFORE INSERT ON tasks
WHEN EXISTS (SELECT 1 FROM tasks WHERE tenant = NEW.tenant AND id = NEW.id)
  OR EXISTS (SELECT 1 FROM tasks WHERE tenant = NEW.tenant AND handle_digest = NEW.handle_digest)
  OR EXISTS (SELECT 1 FROM tasks WHERE tenant = NEW.tenant AND request_key = NEW.request_key)
BEGIN
  SELECT RAISE(ABORT, 'a task is proof: give a new one another id');
END;
