-- What may be done. No row, no call: everything is denied until an allow matches, and one matching
-- deny overrides every allow.

-- A column that is NULL does not restrict, with one exception: an allow says which agent it means
-- (`agent`, `client`, a role that the agent holds, or `agent = '*'`), or it counts for the subject only.
CREATE TABLE policies (
  tenant     TEXT NOT NULL REFERENCES tenants (id),
  id         TEXT NOT NULL CHECK (id <> ''),
  effect     TEXT NOT NULL CHECK (effect IN ('allow', 'deny')),
  role       TEXT CHECK (role <> '' AND role <> '*'),
  client     TEXT CHECK (client <> '' AND client <> '*'),
  agent      TEXT CHECK (agent <> ''),
  server     TEXT CHECK (server <> '' AND server <> '*'),
  -- An exact name, or a pattern in which `*` stands for any characters.
  tool       TEXT CHECK (tool <> ''),
  access     TEXT CHECK (access IN ('read', 'write', 'export', 'admin', 'destructive')),
  label      TEXT CHECK (label <> ''),
  -- CEL over subject, client, agent, tool and args; must be of type bool.
  condition  TEXT CHECK (length(condition) BETWEEN 1 AND 2000),
  reason     TEXT NOT NULL DEFAULT '',
  enabled    INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  PRIMARY KEY (tenant, id)
) STRICT;

-- What may not follow what. One row per rule, in the words of Sigma correlations: when a call that
-- carries `on_label` arrives and the correlation over this session's history holds, `effect` follows.
CREATE TABLE sequence_rules (
  tenant     TEXT NOT NULL REFERENCES tenants (id),
  id         TEXT NOT NULL CHECK (id <> ''),
  effect     TEXT NOT NULL CHECK (effect IN ('deny', 'audit')),
  level      TEXT NOT NULL DEFAULT 'high' CHECK (level IN ('informational', 'low', 'medium', 'high', 'critical')),
  -- `any` stands for every call.
  on_label   TEXT NOT NULL CHECK (on_label = 'any' OR on_label GLOB '[a-z]*.[a-z]*'),
  type       TEXT NOT NULL CHECK (type IN ('temporal', 'event_count')),
  -- The labels that are looked for, a JSON array.
  rules      TEXT NOT NULL CHECK (json_valid(rules) AND json_type(rules) = 'array' AND json_array_length(rules) >= 1),
  -- Whose history counts. A narrower one than `subject` is not for flows of data: another client
  -- of the same person would start it anew.
  scope      TEXT NOT NULL DEFAULT 'subject' CHECK (scope IN ('subject', 'actor')),
  timespan_s INTEGER CHECK (timespan_s > 0),
  -- A later event with this label clears what was seen before it.
  until_label TEXT CHECK (until_label GLOB '[a-z]*.[a-z]*'),
  -- JSON such as {"gt": 10}; the current call counts when it carries the label.
  condition  TEXT CHECK (json_valid(condition) AND json_type(condition) = 'object'),
  title      TEXT NOT NULL DEFAULT '',
  -- A stable word for machines, written into every record.
  reason     TEXT NOT NULL CHECK (reason <> ''),
  enabled    INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  PRIMARY KEY (tenant, id),
  CHECK (type <> 'event_count' OR (condition IS NOT NULL AND timespan_s IS NOT NULL AND json_array_length(rules) = 1)),
  -- A lock-out after denials never reaches beyond the one who was denied.
  CHECK (scope = 'actor' OR instr(rules, '"decision.denied"') = 0)
) STRICT;
