-- Who exists: tenants, the issuers they trust, the clients and agents that may act, and who holds
-- which role. Times are epoch milliseconds and end in `_at`. Every table is tenant-scoped.

CREATE TABLE tenants (
  id     TEXT PRIMARY KEY NOT NULL CHECK (length(id) BETWEEN 1 AND 63 AND id NOT GLOB '*[^a-z0-9-]*'),
  name   TEXT NOT NULL DEFAULT '',
  active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  -- No actor may ask for more decisions than this in a minute.
  actor_calls_per_minute INTEGER NOT NULL DEFAULT 6000 CHECK (actor_calls_per_minute > 0),
  -- What ends in one of these is the organisation's own, for rules on where values come from: a JSON
  -- array such as ["@corp.example", ".corp.example"]. Each begins at a border of the name.
  own_domains TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(own_domains) AND json_type(own_domains) = 'array' AND length(own_domains) <= 4000)
) STRICT;

-- The state of everything that is compiled. A counter for people, and 16 random bytes drawn at each
-- bump, so that a revision never repeats, not even after the database was taken back in time.
CREATE TABLE revision (
  tenant  TEXT PRIMARY KEY NOT NULL REFERENCES tenants (id),
  counter INTEGER NOT NULL,
  nonce   TEXT NOT NULL CHECK (length(nonce) = 32)
) STRICT;

CREATE TRIGGER tenants_start_revision AFTER INSERT ON tenants BEGIN
  INSERT INTO revision (tenant, counter, nonce)
  VALUES (NEW.id, 1, lower(hex(randomblob(16))))
  ON CONFLICT (tenant) DO UPDATE SET counter = counter + 1, nonce = excluded.nonce;
END;

-- Without its row a tenant's edits would go unnoticed.
CREATE TRIGGER keep_revision BEFORE DELETE ON revision BEGIN
  SELECT RAISE(ABORT, 'a revision is never deleted: it only moves on');
END;

-- Whose word this tenant takes. A row belongs wholly to the tenant, unless `tenant_claim` names the
-- claim that says whose user a token speaks of.
CREATE TABLE issuers (
  tenant         TEXT NOT NULL REFERENCES tenants (id),
  url            TEXT NOT NULL CHECK (length(url) <= 2048),
  jwks_uri       TEXT NOT NULL CHECK (jwks_uri GLOB 'https://?*' OR jwks_uri GLOB 'http://127.0.0.1*' OR jwks_uri GLOB 'http://localhost*' OR jwks_uri GLOB 'http://[[]::1]*'),
  algorithms     TEXT NOT NULL DEFAULT '["ES256"]' CHECK (json_valid(algorithms) AND json_type(algorithms) = 'array' AND json_array_length(algorithms) > 0),
  tenant_claim   TEXT CHECK (tenant_claim <> ''),
  -- The longest `exp - iat` that is accepted, in seconds.
  max_lifetime_s INTEGER NOT NULL DEFAULT 3600 CHECK (max_lifetime_s BETWEEN 1 AND 86400),
  active         INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  -- Set for the issuer of the local demo. Behind a public origin it stops every call.
  demo           INTEGER NOT NULL DEFAULT 0 CHECK (demo IN (0, 1)),
  -- `oauth`: an authorization server. `workload`: a trust domain (SPIFFE, WIMSE), whose documents name
  -- workloads and never people. `access`: a team of Cloudflare Access, for people who administer; no
  -- call is ever made with what it signs.
  kind           TEXT NOT NULL DEFAULT 'oauth' CHECK (kind IN ('oauth', 'workload', 'access')),
  -- Who our documents must be for: the AUD tag of the Access application.
  audience       TEXT CHECK (audience <> ''),
  -- Which tokens its introspection endpoint is asked about (RFC 7662): opaque ones, JWTs once their
  -- signature holds, or both.
  introspection        TEXT NOT NULL DEFAULT 'never' CHECK (introspection IN ('never', 'opaque', 'jwt', 'always')),
  introspection_url    TEXT CHECK (introspection_url GLOB 'https://?*' OR introspection_url GLOB 'http://127.0.0.1*' OR introspection_url GLOB 'http://localhost*' OR introspection_url GLOB 'http://[[]::1]*'),
  -- Names of Worker secrets, never secrets. What each may be used for stands inside it.
  introspection_secret TEXT CHECK (introspection_secret GLOB 'INTROSPECTION_?*' AND introspection_secret NOT GLOB '*[^A-Z0-9_]*'),
  -- Where a token is exchanged for one that an upstream gets (RFC 8693), and where that one is taken
  -- back (RFC 7009): both of one origin, since one secret opens both (`servers.exchange_secret`).
  token_url            TEXT CHECK (token_url GLOB 'https://?*' OR token_url GLOB 'http://127.0.0.1*' OR token_url GLOB 'http://localhost*' OR token_url GLOB 'http://[[]::1]*'),
  revocation_url       TEXT CHECK (revocation_url GLOB 'https://?*' OR revocation_url GLOB 'http://127.0.0.1*' OR revocation_url GLOB 'http://localhost*' OR revocation_url GLOB 'http://[[]::1]*'),
  -- Under which client id people log in to our own pages here; NULL: nobody does.
  login_client         TEXT CHECK (login_client <> ''),
  -- NULL: a public client, which PKCE alone protects.
  login_secret         TEXT CHECK (login_secret GLOB 'LOGIN_?*' AND login_secret NOT GLOB '*[^A-Z0-9_]*'),
  -- 1: its tokens may declare the task that they are for (`txn` and an authorization detail `mcp_task`).
  opens_tasks          INTEGER NOT NULL DEFAULT 0 CHECK (opens_tasks IN (0, 1)),
  -- Where the status lists of its tokens may be (draft-ietf-oauth-status-list): one address, or all
  -- under one that ends in `/`. NULL: none is looked at.
  status_list          TEXT CHECK (status_list GLOB 'https://?*/*' OR status_list GLOB 'http://127.0.0.1*/*' OR status_list GLOB 'http://localhost*/*'),
  PRIMARY KEY (tenant, url),
  CHECK (CASE kind
    WHEN 'workload' THEN (url GLOB 'spiffe://?*' OR url GLOB 'wimse://?*')
      AND substr(url, instr(url, '://') + 3) NOT GLOB '*[^a-z0-9._-]*'
    ELSE url GLOB 'https://?*' OR url GLOB 'http://127.0.0.1*' OR url GLOB 'http://localhost*' OR url GLOB 'http://[[]::1]*'
  END),
  CHECK ((kind = 'access') = (audience IS NOT NULL)),
  CHECK (kind = 'oauth' OR (introspection = 'never' AND login_client IS NULL AND token_url IS NULL)),
  CHECK (kind = 'oauth' OR opens_tasks = 0),
  CHECK (revocation_url IS NULL OR token_url IS NOT NULL),
  CHECK (introspection = 'never' OR (introspection_url IS NOT NULL AND introspection_secret IS NOT NULL)),
  CHECK (login_secret IS NULL OR login_client IS NOT NULL)
) STRICT;

CREATE INDEX issuers_by_url ON issuers (url);
CREATE INDEX issuers_by_local ON issuers (tenant) WHERE demo = 1 OR url GLOB 'http:*' OR jwks_uri GLOB 'http:*' OR introspection_url GLOB 'http:*' OR token_url GLOB 'http:*' OR revocation_url GLOB 'http:*';
-- An opaque token names nobody. With two candidates it would be shown to one that did not issue it.
CREATE UNIQUE INDEX issuers_one_opaque ON issuers (tenant) WHERE active = 1 AND introspection IN ('opaque', 'always');

-- Two tenants may share an issuer only if each token says which of them it speaks for: by a claim,
-- or, at Cloudflare Access, by the application that it is for.
CREATE TRIGGER issuers_one_tenant_insert BEFORE INSERT ON issuers
WHEN EXISTS (SELECT 1 FROM issuers AS other WHERE other.url = NEW.url AND other.tenant <> NEW.tenant
             AND (other.tenant_claim IS NULL OR NEW.tenant_claim IS NULL)
             AND NOT (other.kind = 'access' AND NEW.kind = 'access' AND other.audience <> NEW.audience))
BEGIN
  SELECT RAISE(ABORT, 'this issuer serves another tenant: both rows need a tenant_claim');
END;
CREATE TRIGGER issuers_one_tenant_update BEFORE UPDATE ON issuers
WHEN EXISTS (SELECT 1 FROM issuers AS other WHERE other.url = NEW.url
             AND other.tenant <> NEW.tenant AND other.tenant <> OLD.tenant
             AND (other.tenant_claim IS NULL OR NEW.tenant_claim IS NULL)
             AND NOT (other.kind = 'access' AND NEW.kind = 'access' AND other.audience <> NEW.audience))
BEGIN
  SELECT RAISE(ABORT, 'this issuer serves another tenant: both rows need a tenant_claim');
END;

CREATE TABLE clients (
  tenant TEXT NOT NULL REFERENCES tenants (id),
  issuer TEXT NOT NULL,
  id     TEXT NOT NULL CHECK (id <> ''),
  name   TEXT NOT NULL DEFAULT '',
  active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  -- Where its logins return to, a JSON array of hosts: what people are shown of it besides a name that
  -- anybody can take.
  redirect_hosts TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(redirect_hosts) AND json_type(redirect_hosts) = 'array' AND length(redirect_hosts) <= 4000),
  -- 0: trusted as itself only. What it asks for a person is refused, whatever its token says.
  acts_for_users INTEGER NOT NULL DEFAULT 1 CHECK (acts_for_users IN (0, 1)),
  PRIMARY KEY (tenant, issuer, id)
) STRICT;

CREATE TABLE agents (
  tenant TEXT NOT NULL REFERENCES tenants (id),
  issuer TEXT NOT NULL,
  id     TEXT NOT NULL CHECK (id <> ''),
  name   TEXT NOT NULL DEFAULT '',
  active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  PRIMARY KEY (tenant, issuer, id)
) STRICT;

-- The holder is named with its kind and its issuer: a client called `alice` is not the user `alice`.
CREATE TABLE role_assignments (
  tenant      TEXT NOT NULL REFERENCES tenants (id),
  issuer      TEXT NOT NULL,
  holder_kind TEXT NOT NULL CHECK (holder_kind IN ('user', 'client', 'agent')),
  holder      TEXT NOT NULL CHECK (holder <> ''),
  role        TEXT NOT NULL CHECK (role <> '' AND role <> '*'),
  expires_at  INTEGER,
  PRIMARY KEY (tenant, issuer, holder_kind, holder, role)
) STRICT;
