-- What stands behind Sallyport: MCP servers and their tools. What has no row here is denied.

-- Server names are unique in a deployment, because a name alone picks the tenant of a call.
CREATE TABLE servers (
  name           TEXT PRIMARY KEY NOT NULL CHECK (length(name) BETWEEN 1 AND 63 AND name NOT GLOB '*[^a-z0-9-]*'),
  tenant         TEXT NOT NULL REFERENCES tenants (id),
  -- The MCP endpoint itself, path included, in one spelling: two tenants that share an upstream are
  -- known by it. No query, where secrets would end up.
  url            TEXT NOT NULL
    CHECK (url GLOB 'https://[^/]*' OR url GLOB 'http://127.0.0.1*' OR url GLOB 'http://localhost*' OR url GLOB 'http://[[]::1]*')
    CHECK (url NOT GLOB '*[^!-~]*' AND url NOT GLOB '*[%?#@\]*' AND url NOT GLOB '*./*' AND url NOT GLOB '*.'
      AND url NOT GLOB '*:443/*' AND url NOT GLOB '*:443' AND url NOT GLOB 'http:*:80/*' AND url NOT GLOB 'http:*:80'
      AND url NOT GLOB '*:0*' AND url NOT GLOB '*:' AND substr(url, 9) NOT GLOB '*:/*' AND substr(url, 9) NOT GLOB '*//*'),
  title          TEXT NOT NULL DEFAULT '',
  -- Scopes that every call needs, space separated.
  required_scope TEXT NOT NULL DEFAULT '',
  -- 1 only if nothing sent to it leaves the organisation. Otherwise each call is an external send.
  internal       INTEGER NOT NULL DEFAULT 0 CHECK (internal IN (0, 1)),
  active         INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  -- 1: a client acts for a person only where that person consented to it (table `consents`).
  consent_required INTEGER NOT NULL DEFAULT 0 CHECK (consent_required IN (0, 1)),
  -- 1: a DPoP proof must carry a nonce of ours, so that none can be made in advance (RFC 9449 §9).
  dpop_nonce     INTEGER NOT NULL DEFAULT 0 CHECK (dpop_nonce IN (0, 1)),
  -- What a call carries to it: nothing, a token that we sign for this one call, one that its issuer gave
  -- in exchange for the caller's, or a secret (docs/upstream-credentials.md).
  credential     TEXT NOT NULL DEFAULT 'none' CHECK (credential IN ('none', 'signed', 'exchange', 'secret')),
  -- Whom the token names as its audience; NULL: the url above.
  credential_audience TEXT CHECK (credential_audience <> '' AND length(credential_audience) <= 2048),
  -- What is asked for in an exchange, space separated.
  credential_scope TEXT NOT NULL DEFAULT '',
  -- Names of Worker secrets, never secrets. What each may be used for stands inside it.
  credential_secret TEXT CHECK (credential_secret GLOB 'UPSTREAM_?*' AND credential_secret NOT GLOB '*[^A-Z0-9_]*'),
  -- The issuer that gives the token which the upstream gets; its row needs a `token_url`.
  exchange_issuer TEXT,
  exchange_grant TEXT NOT NULL DEFAULT 'token-exchange' CHECK (exchange_grant IN ('token-exchange', 'id-jag')),
  exchange_secret TEXT CHECK (exchange_secret GLOB 'EXCHANGE_?*' AND exchange_secret NOT GLOB '*[^A-Z0-9_]*'),
  -- With `id-jag`: opens the caller's own issuer, where that is another one; NULL: the secret above.
  assertion_secret TEXT CHECK (assertion_secret GLOB 'EXCHANGE_?*' AND assertion_secret NOT GLOB '*[^A-Z0-9_]*'),
  -- SHA-256, in lowercase hex, of the password with which this server asks at /introspect whether what
  -- it was shown still holds. At least 32 random bytes; NULL: it never asks.
  introspection_digest TEXT CHECK (length(introspection_digest) = 64 AND introspection_digest NOT GLOB '*[^0-9a-f]*'),
  -- Until then only door one, revocations and the borders between tenants are enforced; everything
  -- else is written down as what it would have been. At most 14 days ahead (triggers below).
  observe_until  INTEGER,
  UNIQUE (tenant, name),
  CHECK ((credential = 'secret') = (credential_secret IS NOT NULL)),
  CHECK ((credential = 'exchange') = (exchange_issuer IS NOT NULL AND exchange_secret IS NOT NULL)),
  CHECK (assertion_secret IS NULL OR exchange_grant = 'id-jag'),
  CHECK (credential IN ('signed', 'exchange') OR credential_audience IS NULL)
) STRICT;

-- Tenants that share an upstream: what one of them listed as its own is never another's.
CREATE INDEX servers_by_url ON servers (rtrim(lower(url), '/'));
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

CREATE TRIGGER servers_observe_insert BEFORE INSERT ON servers
WHEN NEW.observe_until > (unixepoch() + 14 * 86400) * 1000
BEGIN
  SELECT RAISE(ABORT, 'observe_until is at most 14 days ahead, in epoch milliseconds');
END;
CREATE TRIGGER servers_observe_update BEFORE UPDATE OF observe_until ON servers
WHEN NEW.observe_until > (unixepoch() + 14 * 86400) * 1000
BEGIN
  SELECT RAISE(ABORT, 'observe_until is at most 14 days ahead, in epoch milliseconds');
END;

-- `name` is a tool's exact name, or a pattern with `*`. The exact row wins, then the
-- pattern with the longest text before its first `*`, then the longest pattern.
CREATE TABLE tools (
  tenant          TEXT NOT NULL,
  server          TEXT NOT NULL,
  name            TEXT NOT NULL CHECK (name <> ''),
  -- What it does at its worst; `tool_access` may say that some calls do less.
  access          TEXT NOT NULL CHECK (access IN ('read', 'write', 'export', 'admin', 'destructive')),
  -- Where its effects are felt: a word that policies can name.
  environment     TEXT NOT NULL DEFAULT 'production' CHECK (environment <> '' AND environment NOT GLOB '*[^a-z0-9-]*'),
  required_scope  TEXT NOT NULL DEFAULT '',
  -- 0 until a person has looked at the labels: until then the tool counts as untrusted source,
  -- confidential source and external sink.
  labels_reviewed INTEGER NOT NULL DEFAULT 0 CHECK (labels_reviewed IN (0, 1)),
  -- The definition that a person has seen: SHA-256 of the tool as its server lists it, in canonical
  -- JSON (RFC 8785), and that JSON itself. A tool that differs is denied until it is pinned again.
  definition_hash TEXT CHECK (length(definition_hash) = 64 AND definition_hash NOT GLOB '*[^0-9a-f]*'),
  definition      TEXT CHECK (json_valid(definition) AND length(definition) <= 1000000),
  pinned_at       INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  PRIMARY KEY (tenant, server, name),
  FOREIGN KEY (tenant, server) REFERENCES servers (tenant, name),
  -- A pattern stands for tools that nobody has seen.
  CHECK (definition_hash IS NULL OR instr(name, '*') = 0),
  CHECK (definition IS NULL OR definition_hash IS NOT NULL)
) STRICT;

-- A new pin forgets what was seen before it.
CREATE TRIGGER tools_pin_again AFTER UPDATE OF definition_hash ON tools BEGIN
  UPDATE tools SET pinned_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE tenant = NEW.tenant AND server = NEW.server AND name = NEW.name;
END;

-- Calls of a tool that do less, or more, than its row says: `http(method, url)`, `sql(query)`. Of the
-- rows whose condition holds the most dangerous class counts; where one cannot be evaluated, that
-- class and the tool's own count as well.
CREATE TABLE tool_access (
  tenant    TEXT NOT NULL,
  server    TEXT NOT NULL,
  tool      TEXT NOT NULL,
  access    TEXT NOT NULL CHECK (access IN ('read', 'write', 'export', 'admin', 'destructive')),
  -- CEL over args.
  condition TEXT NOT NULL CHECK (length(condition) BETWEEN 1 AND 2000),
  PRIMARY KEY (tenant, server, tool, access),
  FOREIGN KEY (tenant, server, tool) REFERENCES tools (tenant, server, name)
) STRICT;

-- Without ON DELETE CASCADE: a migration that drops `tools` to rebuild it would silently take all
-- labels along, and every rule on flows of data with them.
CREATE TABLE tool_labels (
  tenant    TEXT NOT NULL,
  server    TEXT NOT NULL,
  tool      TEXT NOT NULL,
  label     TEXT NOT NULL CHECK (label GLOB '[a-z]*.[a-z]*' AND label NOT GLOB '*[^a-z0-9._]*'),
  -- CEL over args; where it cannot be evaluated the label holds.
  condition TEXT CHECK (length(condition) BETWEEN 1 AND 2000),
  PRIMARY KEY (tenant, server, tool, label),
  FOREIGN KEY (tenant, server, tool) REFERENCES tools (tenant, server, name)
) STRICT;

-- How the names of one kind of resource are made equal before they are compared. Names in
-- `resources` are stored in that form already; `policy check` reports those that are not.
CREATE TABLE resource_types (
  tenant TEXT NOT NULL REFERENCES tenants (id),
  name   TEXT NOT NULL CHECK (name GLOB '[a-z]*' AND name NOT GLOB '*[^a-z0-9_.-]*'),
  -- exact: byte for byte. lower: letters of any case are equal. path: like a file path, without `.`,
  -- `..` and doubled slashes. url: as WHATWG URL writes it. email, host: lower case, one spelling.
  form   TEXT NOT NULL DEFAULT 'exact' CHECK (form IN ('exact', 'lower', 'path', 'url', 'email', 'host')),
  PRIMARY KEY (tenant, name)
) STRICT;

-- What an argument is. `pointer` is a JSON pointer (RFC 6901) into the arguments, in which a segment
-- `*` stands for every element of a list.
CREATE TABLE tool_arguments (
  tenant        TEXT NOT NULL,
  server        TEXT NOT NULL,
  tool          TEXT NOT NULL,
  pointer       TEXT NOT NULL CHECK (pointer GLOB '/*' AND length(pointer) <= 200),
  -- What the value is to flows of data: where it goes, what is sent, what is run, what gives power,
  -- what narrows a search, what is acted on, and how much.
  role          TEXT CHECK (role IN ('target', 'content', 'command', 'credential', 'selector', 'resource', 'amount')),
  -- Set where the value names a resource: it is looked up before the call is decided.
  resource_type TEXT,
  -- 0: a call without it counts as one that names an unlisted resource.
  optional      INTEGER NOT NULL DEFAULT 0 CHECK (optional IN (0, 1)),
  -- The class of a resource that has no row.
  unlisted      TEXT NOT NULL DEFAULT 'restricted' CHECK (unlisted IN ('public', 'internal', 'confidential', 'restricted')),
  PRIMARY KEY (tenant, server, tool, pointer),
  FOREIGN KEY (tenant, server, tool) REFERENCES tools (tenant, server, name),
  FOREIGN KEY (tenant, resource_type) REFERENCES resource_types (tenant, name),
  CHECK (role IS NOT NULL OR resource_type IS NOT NULL)
) STRICT;

-- What a result is about: a pointer into its structured content (or into its text, where that is
-- JSON) either names a resource or is itself a class of sensitivity. A result of such a tool is
-- decided again, with what it holds; what cannot be read there is of the highest class.
CREATE TABLE tool_results (
  tenant        TEXT NOT NULL,
  server        TEXT NOT NULL,
  tool          TEXT NOT NULL,
  pointer       TEXT NOT NULL CHECK (pointer GLOB '/*' AND length(pointer) <= 200),
  -- NULL: the value is a class itself.
  resource_type TEXT,
  -- 1: a result, or an element of it, may be without.
  optional      INTEGER NOT NULL DEFAULT 0 CHECK (optional IN (0, 1)),
  unlisted      TEXT NOT NULL DEFAULT 'restricted' CHECK (unlisted IN ('public', 'internal', 'confidential', 'restricted')),
  PRIMARY KEY (tenant, server, tool, pointer),
  FOREIGN KEY (tenant, server, tool) REFERENCES tools (tenant, server, name),
  FOREIGN KEY (tenant, resource_type) REFERENCES resource_types (tenant, name)
) STRICT;

-- Which parts of a result list things of one kind, and who could have written them there. What no row
-- names is a field of a result all the same, but of no kind.
CREATE TABLE tool_origins (
  tenant        TEXT NOT NULL,
  server        TEXT NOT NULL,
  tool          TEXT NOT NULL,
  pointer       TEXT NOT NULL CHECK (pointer GLOB '/*' AND length(pointer) <= 200),
  -- NULL: of no kind that has a name.
  resource_type TEXT,
  -- system: the server itself assigns it. listed: its own users or organisation keep it. claimed:
  -- a stranger may have filled it in.
  authority     TEXT NOT NULL CHECK (authority IN ('system', 'listed', 'claimed')),
  PRIMARY KEY (tenant, server, tool, pointer),
  FOREIGN KEY (tenant, server, tool) REFERENCES tools (tenant, server, name),
  FOREIGN KEY (tenant, resource_type) REFERENCES resource_types (tenant, name)
) STRICT;

-- When a tool's definition was last listed, by anybody: as it was pinned, or otherwise. Written by
-- Sallyport itself; a definition that nobody has seen for ten minutes is looked at before a call.
CREATE TABLE tool_sightings (
  tenant     TEXT NOT NULL REFERENCES tenants (id),
  server     TEXT NOT NULL,
  tool       TEXT NOT NULL,
  -- The pin that it was compared with. A difference once seen stays until the tool is pinned again.
  definition_hash TEXT NOT NULL,
  matched_at INTEGER,
  differed_at INTEGER,
  -- What differed, as JSON; for people.
  difference TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(difference)),
  PRIMARY KEY (tenant, server, tool, definition_hash)
) STRICT;
