-- People who are signed in to Sallyport's own pages. Whoever reads this table can be nobody: it holds
-- digests of what browsers keep (src/people/session.ts).
CREATE TABLE page_sessions (
  -- SHA-256 of the 32 random bytes in the cookie, lowercase hex.
  digest         TEXT NOT NULL CHECK (length(digest) = 64 AND digest NOT GLOB '*[^0-9a-f]*'),
  tenant         TEXT NOT NULL REFERENCES tenants (id),
  issuer         TEXT NOT NULL,
  subject        TEXT NOT NULL CHECK (subject <> ''),
  -- The issuer's own name for the login (`sid`), for revocations of it.
  issuer_session TEXT,
  created_at     INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
  -- Absolute: using it does not prolong it.
  expires_at     INTEGER NOT NULL,
  PRIMARY KEY (digest),
  CHECK (expires_at > created_at AND expires_at - created_at <= 8 * 3600 * 1000)
) STRICT, WITHOUT ROWID;

CREATE INDEX page_sessions_by_end ON page_sessions (expires_at);

-- A session that became somebody else's would carry their forms along.
CREATE TRIGGER page_sessions_keep_person BEFORE UPDATE ON page_sessions BEGIN
  SELECT RAISE(ABORT, 'a page session never changes: delete it');
END;
