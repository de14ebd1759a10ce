-- Who may ask the AuthZEN doors, and about whom. A caller is a client of the tenant's issuer that
-- holds a token for itself; what has no row here gets no answer.
CREATE TABLE pdp_callers (
  tenant   TEXT NOT NULL REFERENCES tenants (id),
  issuer   TEXT NOT NULL,
  client   TEXT NOT NULL CHECK (client <> ''),
  -- JSON arrays. A question that names no server means the first one.
  servers  TEXT NOT NULL CHECK (json_valid(servers) AND json_type(servers) = 'array' AND json_array_length(servers) > 0),
  -- Patterns of subjects, `*` for any characters; by default any of the tenant.
  subjects TEXT NOT NULL DEFAULT '["*"]' CHECK (json_valid(subjects) AND json_type(subjects) = 'array'),
  -- 1: it enforces what it is told, and may ask to have a call admitted into a subject's history.
  may_admit INTEGER NOT NULL DEFAULT 0 CHECK (may_admit IN (0, 1)),
  active   INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  PRIMARY KEY (tenant, issuer, client)
) STRICT;
