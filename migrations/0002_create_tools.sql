-- What stands behind Sallyport: MCP servers and their tools. What has no row here is denied.

-- Server names are unique in a deployment, because a name alone picks the tenant of a call.
CREATE TABLE servers (
  name           TEXT PRIMARY KEY NOT NULL CHECK (length(name) BETWEEN 1 AND 63 AND name NOT GLOB '*[^a-z0-9-]*'),
  tenant         TEXT NOT NULL REFERENCES tenants (id),
  -- The MCP endpoint itself, path included.
  url            TEXT NOT NULL CHECK (url GLOB 'https://?*' OR url GLOB 'http://127.0.0.1*' OR url GLOB 'http://localhost*' OR url GLOB 'http://[[]::1]*'),
  title          TEXT NOT NULL DEFAULT '',
  -- Scopes that every call needs, space separated.
  required_scope TEXT NOT NULL DEFAULT '',
  -- 1 only if nothing sent to it leaves the organisation. Otherwise each call is an external send.
  internal       INTEGER NOT NULL DEFAULT 0 CHECK (internal IN (0, 1)),
  active         INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  UNIQUE (tenant, name)
) STRICT;

CREATE INDEX servers_by_local ON servers (tenant) WHERE url GLOB 'http:*';

-- A name that moved to another tenant would take its callers along, and `INSERT OR REPLACE` deletes
-- the old row without firing a delete trigger.
CREATE TRIGGER servers_keep_tenant_insert BEFORE INSERT ON servers
WHEN EXISTS (SELECT 1 FROM servers WHERE name = NEW.name AND tenant <> NEW.tenant)
BEGIN
  SELECT RAISE(ABORT, 'this server name belongs to another tenant');
END;
CREATE TRIGGER servers_keep_tenant_update BEFORE UPDATE ON servers WHEN NEW.tenant <> OLD.tenant
BEGIN
  SELECT RAISE(ABORT, 'a server keeps its tenant: delete it and insert it anew');
END;

-- `name` is a tool's exact name, or a pattern with `*`. The exact row wins, then the
-- pattern with the longest text before its first `*`, then the longest pattern.
CREATE TABLE tools (
  tenant          TEXT NOT NULL,
  server          TEXT NOT NULL,
  name            TEXT NOT NULL CHECK (name <> ''),
  access          TEXT NOT NULL CHECK (access IN ('read', 'write', 'export', 'admin', 'destructive')),
  required_scope  TEXT NOT NULL DEFAULT '',
  -- 0 until a person has looked at the labels: until then the tool counts as untrusted source,
  -- confidential source and external sink.
  labels_reviewed INTEGER NOT NULL DEFAULT 0 CHECK (labels_reviewed IN (0, 1)),
  PRIMARY KEY (tenant, server, name),
  FOREIGN KEY (tenant, server) REFERENCES servers (tenant, name)
) STRICT;

-- Without ON DELETE CASCADE: a migration that drops `tools` to rebuild it would silently take all
-- labels along, and every rule on flows of data with them.
CREATE TABLE tool_labels (
  tenant TEXT NOT NULL,
  server TEXT NOT NULL,
  tool   TEXT NOT NULL,
  label  TEXT NOT NULL CHECK (label GLOB '[a-z]*.[a-z]*' AND label NOT GLOB '*[^a-z0-9._]*'),
  PRIMARY KEY (tenant, server, tool, label),
  FOREIGN KEY (tenant, server, tool) REFERENCES tools (tenant, server, name)
) STRICT;
