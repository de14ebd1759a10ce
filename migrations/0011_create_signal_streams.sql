-- Who tells us that something has ended: streams of Shared Signals (OpenID SSF 1.0, CAEP, RISC). People
-- write these rows; what Sallyport writes about them is in 0012. Read afresh.
CREATE TABLE signal_streams (
  -- Part of the address `/events/{id}`, so unique in a deployment.
  id         TEXT PRIMARY KEY NOT NULL CHECK (length(id) BETWEEN 1 AND 63 AND id NOT GLOB '*[^a-z0-9-]*' AND id <> 'mcp'),
  tenant     TEXT NOT NULL REFERENCES tenants (id),
  -- INVARIANT: whose tokens it speaks of. It never touches a subject of another issuer or tenant.
  issuer     TEXT NOT NULL,
  -- The `iss` of its events, where that is not the issuer's url; and where its keys are, likewise.
  transmitter TEXT CHECK (length(transmitter) BETWEEN 1 AND 2048),
  jwks_uri   TEXT CHECK (jwks_uri GLOB 'https://?*' OR jwks_uri GLOB 'http://127.0.0.1*' OR jwks_uri GLOB 'http://localhost*' OR jwks_uri GLOB 'http://[[]::1]*'),
  -- CAEP interoperability profile §2.6: RS256.
  algorithms TEXT NOT NULL DEFAULT '["RS256"]' CHECK (json_valid(algorithms) AND json_type(algorithms) = 'array' AND json_array_length(algorithms) > 0),
  -- Must be among the `aud` of every event.
  audience   TEXT NOT NULL CHECK (length(audience) BETWEEN 1 AND 2048),

  -- push: the transmitter posts here (RFC 8935). poll: we fetch (RFC 8936).
  delivery   TEXT NOT NULL DEFAULT 'push' CHECK (delivery IN ('push', 'poll')),
  poll_url   TEXT CHECK (poll_url GLOB 'https://?*' OR poll_url GLOB 'http://127.0.0.1*' OR poll_url GLOB 'http://localhost*' OR poll_url GLOB 'http://[[]::1]*'),
  poll_every_s INTEGER NOT NULL DEFAULT 15 CHECK (poll_every_s BETWEEN 5 AND 3600),
  -- The name of a Worker secret, never a secret: the Authorization header that the transmitter has to
  -- show (push; NULL: its signature is enough), or that we show (poll).
  secret     TEXT CHECK (secret GLOB 'SIGNALS_?*' AND secret NOT GLOB '*[^A-Z0-9_]*'),

  -- 1: an email names the subject whose `sub` is that text. 0: only `subject_aliases` say whose it is.
  email_is_subject INTEGER NOT NULL DEFAULT 0 CHECK (email_is_subject IN (0, 1)),
  -- How the issuer calls this tenant in the `tenant` of a complex subject; NULL: not compared.
  tenant_name TEXT CHECK (tenant_name <> ''),
  -- The transmitter's `critical_subject_members` (SSF 1.0 §7.1.1): an event with one of these that we
  -- do not know is discarded.
  critical_members TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(critical_members) AND json_type(critical_members) = 'array' AND length(critical_members) <= 2000),

  -- While a device is not compliant, a risk is raised or a level of assurance has fallen: which classes
  -- of calls are touched, and which login helps (`acr` values, space separated; NULL: none does).
  raised_access TEXT NOT NULL DEFAULT '["write","export","admin","destructive"]' CHECK (json_valid(raised_access) AND json_type(raised_access) = 'array' AND length(raised_access) <= 200),
  raised_acr    TEXT CHECK (raised_acr <> ''),

  -- Nothing heard for longer is silence. `deny`: then the issuer's tokens open nothing.
  max_silence_s INTEGER CHECK (max_silence_s BETWEEN 10 AND 2678400),
  on_silence    TEXT NOT NULL DEFAULT 'warn' CHECK (on_silence IN ('warn', 'deny')),
  active     INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  FOREIGN KEY (tenant, issuer) REFERENCES issuers (tenant, url),
  CHECK ((delivery = 'poll') = (poll_url IS NOT NULL)),
  CHECK (delivery = 'push' OR secret IS NOT NULL),
  CHECK (on_silence = 'warn' OR max_silence_s IS NOT NULL)
) STRICT;

CREATE INDEX signal_streams_by_issuer ON signal_streams (tenant, issuer);

-- What it brought about stands under its tenant and issuer.
CREATE TRIGGER signal_streams_keep_issuer BEFORE UPDATE OF id, tenant, issuer ON signal_streams
WHEN NEW.id <> OLD.id OR NEW.tenant <> OLD.tenant OR NEW.issuer <> OLD.issuer BEGIN
  SELECT RAISE(ABORT, 'a stream keeps its name, tenant and issuer: add another one');
END;
-- Replacing a row is no update, and fires no trigger of deletion.
CREATE TRIGGER signal_streams_keep_replace BEFORE INSERT ON signal_streams
WHEN EXISTS (SELECT 1 FROM signal_streams WHERE id = NEW.id AND (tenant <> NEW.tenant OR issuer <> NEW.issuer)) BEGIN
  SELECT RAISE(ABORT, 'a stream keeps its name, tenant and issuer: add another one');
END;
-- Trust domains and Access teams have no subjects that a stream could name.
CREATE TRIGGER signal_streams_of_people BEFORE INSERT ON signal_streams
WHEN EXISTS (SELECT 1 FROM issuers WHERE tenant = NEW.tenant AND url = NEW.issuer AND kind <> 'oauth') BEGIN
  SELECT RAISE(ABORT, 'a stream speaks for an issuer of kind oauth');
END;

-- Whom an identifier means that is not the token's `sub`: emails, telephone numbers, devices, groups.
CREATE TABLE subject_aliases (
  tenant   TEXT NOT NULL REFERENCES tenants (id),
  issuer   TEXT NOT NULL,
  -- Where it stands in a complex subject (SSF 1.0 §3.2). Of a device or a group: whose it is, one row each.
  member   TEXT NOT NULL DEFAULT 'user' CHECK (member IN ('user', 'device', 'group')),
  format   TEXT NOT NULL CHECK (format IN ('email', 'phone_number', 'opaque', 'account', 'uri', 'did', 'iss_sub')),
  -- Compared byte for byte. Of `iss_sub` the `sub`.
  value    TEXT NOT NULL CHECK (length(value) BETWEEN 1 AND 1024),
  subject  TEXT NOT NULL CHECK (subject <> ''),
  -- Set when the issuer gave the identifier to somebody else (RISC identifier-changed, -recycled).
  ended_at INTEGER,
  PRIMARY KEY (tenant, issuer, member, format, value, subject)
) STRICT;

CREATE INDEX subject_aliases_by_subject ON subject_aliases (tenant, issuer, subject, member);
