-- Who may open tasks, and for which client. It is read at each request to /tasks; what has no row here
-- opens nothing there.
CREATE TABLE task_openers (
  tenant TEXT NOT NULL REFERENCES tenants (id),
  issuer TEXT NOT NULL,
  -- user: a person, whichever client holds their token. client: whoever calls with a token that it
  -- holds, for itself or for a person. agent: the outermost `act.sub`.
  kind   TEXT NOT NULL CHECK (kind IN ('user', 'client', 'agent')),
  id     TEXT NOT NULL CHECK (id <> '' AND id <> '*'),
  -- Under whose tasks: the client that will act; `*` for any of the tenant but the opener itself.
  client TEXT NOT NULL CHECK (client <> ''),
  -- Of a user: the client through which they come; NULL: any that will not act under the task.
  through TEXT CHECK (through <> ''),
  -- 0: for the person only whose token it is. 1: for everybody in the tenant.
  for_others INTEGER NOT NULL DEFAULT 0 CHECK (for_others IN (0, 1)),
  -- 1: it may say that a task is approved.
  may_approve INTEGER NOT NULL DEFAULT 0 CHECK (may_approve IN (0, 1)),
  -- The longest life of a task, in seconds; at most 31 days.
  max_lifetime_s INTEGER NOT NULL DEFAULT 3600 CHECK (max_lifetime_s BETWEEN 1 AND 2678400),
  active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  PRIMARY KEY (tenant, issuer, kind, id, client),
  CHECK (through IS NULL OR kind = 'user'),
  -- What acts under a task never says what the task is.
  CHECK (rtrim(lower(replace(id, ' ', '')), '/') <> rtrim(lower(replace(client, ' ', '')), '/')),
  CHECK (through IS NULL OR rtrim(lower(replace(through, ' ', '')), '/') <> rtrim(lower(replace(client, ' ', '')), '/'))
) STRICT, WITHOUT ROWID;
