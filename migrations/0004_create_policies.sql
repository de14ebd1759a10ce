-- What may be done. No row, no call: everything is denied until an allow matches, and one matching
-- deny overrides every allow.

-- A column that is NULL does not restrict, with one exception: an allow says which agent it means
-- (`agent`, `client`, a role that the agent holds, or `agent = '*'`), or it counts for the subject only.
CREATE TABLE policies (
  tenant      TEXT NOT NULL REFERENCES tenants (id),
  id          TEXT NOT NULL CHECK (id <> ''),
  effect      TEXT NOT NULL CHECK (effect IN ('allow', 'deny')),
  -- shadow: changes no outcome; what it would have changed is in the record.
  mode        TEXT NOT NULL DEFAULT 'enforce' CHECK (mode IN ('enforce', 'shadow')),
  role        TEXT CHECK (role <> '' AND role <> '*'),
  client      TEXT CHECK (client <> '' AND client <> '*'),
  agent       TEXT CHECK (agent <> ''),
  server      TEXT CHECK (server <> '' AND server <> '*'),
  -- An exact name, or a pattern in which `*` stands for any characters.
  tool        TEXT CHECK (tool <> ''),
  access      TEXT CHECK (access IN ('read', 'write', 'export', 'admin', 'destructive')),
  label       TEXT CHECK (label <> ''),
  environment TEXT CHECK (environment <> ''),
  -- CEL over subject, client, agent, tool, args, targets, task, signals, network and time; of type bool.
  condition   TEXT CHECK (length(condition) BETWEEN 1 AND 2000),

  -- What an allow asks for besides. A call that lacks it is told so, not just refused.
  -- Authentication context classes that will do, space separated (RFC 9470 §3).
  require_acr               TEXT CHECK (require_acr <> ''),
  -- The token must be bound to a key of the client (RFC 9449, RFC 8705).
  require_sender_constrained INTEGER NOT NULL DEFAULT 0 CHECK (require_sender_constrained IN (0, 1)),
  -- How long ago the person may have logged in, in seconds.
  max_auth_age_s            INTEGER CHECK (max_auth_age_s >= 0),
  -- 1: a person must approve the call.
  require_approval          INTEGER NOT NULL DEFAULT 0 CHECK (require_approval IN (0, 1)),
  -- The call must belong to a task, or to one that somebody approved.
  require_task              TEXT CHECK (require_task IN ('any', 'approved')),

  reason      TEXT NOT NULL DEFAULT '',
  enabled     INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  PRIMARY KEY (tenant, id),
  -- A deny asks for nothing: it says no.
  CHECK (effect = 'allow' OR (require_acr IS NULL AND require_sender_constrained = 0
    AND max_auth_age_s IS NULL AND require_approval = 0 AND require_task IS NULL))
) STRICT;

-- What may not follow what. One row per rule, in the words of Sigma correlations: when a call that
-- carries `on_label` arrives and the correlation over this session's history holds, `effect` follows.
CREATE TABLE sequence_rules (
  tenant      TEXT NOT NULL REFERENCES tenants (id),
  id          TEXT NOT NULL CHECK (id <> ''),
  -- approve: a person must say yes to this very call. audit: only the record says so.
  effect      TEXT NOT NULL CHECK (effect IN ('deny', 'approve', 'audit')),
  level       TEXT NOT NULL DEFAULT 'high' CHECK (level IN ('informational', 'low', 'medium', 'high', 'critical')),

  -- When the rule is asked: of calls with this label (`any`: of every call), with one of these
  -- classes (a JSON array), without that label, and with arguments that say so, by role:
  -- {"target": {"not_suffix": "@corp.example"}}. True if any value of the role matches.
  on_label    TEXT NOT NULL CHECK (on_label = 'any' OR on_label GLOB '[a-z]*.[a-z]*'),
  on_access   TEXT CHECK (json_valid(on_access) AND json_type(on_access) = 'array' AND json_array_length(on_access) >= 1),
  unless_label TEXT CHECK (unless_label GLOB '[a-z]*.[a-z]*'),
  on_where    TEXT CHECK (json_valid(on_where) AND json_type(on_where) = 'object'),

  type        TEXT NOT NULL CHECK (type IN ('temporal', 'temporal_ordered', 'event_count', 'value_count', 'value_sum', 'absence', 'provenance')),
  -- The labels that are looked for, a JSON array; of `temporal_ordered` in their order.
  rules       TEXT NOT NULL CHECK (json_valid(rules) AND json_type(rules) = 'array' AND json_array_length(rules) <= 8),
  -- One state for each key instead of one for the session: `tool`, `server`, or roles.
  group_by    TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(group_by) AND json_type(group_by) = 'array' AND json_array_length(group_by) <= 4),
  -- Whose history counts. A narrower one than `subject` is not for flows of data: another client
  -- of the same person would start it anew, and so would another task.
  scope       TEXT NOT NULL DEFAULT 'subject' CHECK (scope IN ('subject', 'actor', 'task')),
  -- At most 53 weeks.
  timespan_s  INTEGER CHECK (timespan_s BETWEEN 1 AND 32054400),
  -- A later event with this label clears what was seen before it.
  until_label TEXT CHECK (until_label GLOB '[a-z]*.[a-z]*'),
  -- What is counted or added up: a role, a resource type, or `result_rows`.
  field       TEXT CHECK (field GLOB '[a-zA-Z]*'),
  -- JSON such as {"gt": 10}; the current call counts when it carries the label.
  condition   TEXT CHECK (json_valid(condition) AND json_type(condition) = 'object'),
  -- Whose values need one of these origins, a JSON array of names and of `a+b` for both.
  role        TEXT CHECK (role <> ''),
  origins     TEXT CHECK (json_valid(origins) AND json_type(origins) = 'array'),

  title       TEXT NOT NULL DEFAULT '',
  -- A stable word for machines, written into every record.
  reason      TEXT NOT NULL CHECK (reason <> ''),
  enabled     INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  PRIMARY KEY (tenant, id),

  CHECK (CASE type
    WHEN 'provenance' THEN role IS NOT NULL AND origins IS NOT NULL AND json_array_length(rules) = 0 AND json_array_length(group_by) = 0
    WHEN 'event_count' THEN condition IS NOT NULL AND timespan_s IS NOT NULL AND json_array_length(rules) = 1
    WHEN 'value_count' THEN condition IS NOT NULL AND timespan_s IS NOT NULL AND json_array_length(rules) = 1 AND field IS NOT NULL AND field <> 'result_rows'
    WHEN 'value_sum' THEN condition IS NOT NULL AND timespan_s IS NOT NULL AND json_array_length(rules) = 1 AND field IS NOT NULL
    ELSE json_array_length(rules) >= 1
  END),
  -- A count above what is kept cannot be told: such a rule would never hold.
  CHECK (condition IS NULL OR type = 'value_sum' OR max(
    coalesce(condition ->> '$.gt', 0), coalesce(condition ->> '$.gte', 0),
    coalesce(condition ->> '$.lt', 0), coalesce(condition ->> '$.lte', 0)
  ) < CASE type WHEN 'event_count' THEN 64 ELSE 256 END),
  -- Flows of data go on when a task ends.
  CHECK (scope <> 'task' OR type IN ('event_count', 'value_count', 'value_sum')),
  -- A lock-out after denials never reaches beyond the one who was denied.
  CHECK (scope = 'actor' OR instr(rules, '"decision.denied"') = 0)
) STRICT;

-- Every state that a policy or a rule ever had, written by the triggers that move the revision. Rows
-- are edited in place; this is what they were, at which revision, and what a replay reads.
CREATE TABLE policy_history (
  -- Never -1, which is what a trigger before an insert is told of a row that has no number yet.
  sequence   INTEGER PRIMARY KEY NOT NULL CHECK (sequence > 0),
  tenant     TEXT NOT NULL,
  source     TEXT NOT NULL CHECK (source IN ('policies', 'sequence_rules')),
  id         TEXT NOT NULL,
  change     TEXT NOT NULL CHECK (change IN ('insert', 'update', 'delete')),
  -- The row after the change, as JSON; after a delete as it was before.
  state      TEXT NOT NULL CHECK (json_valid(state)),
  -- `counter:nonce` after the change.
  revision   TEXT NOT NULL,
  changed_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
) STRICT;

CREATE INDEX policy_history_by_row ON policy_history (tenant, source, id);

CREATE TRIGGER policy_history_no_update BEFORE UPDATE ON policy_history BEGIN
  SELECT RAISE(ABORT, 'the history of policies is append-only');
END;
CREATE TRIGGER policy_history_no_delete BEFORE DELETE ON policy_history BEGIN
  SELECT RAISE(ABORT, 'the history of policies is append-only');
END;
-- REPLACE deletes the old row without firing a delete trigger.
CREATE TRIGGER policy_history_no_replace BEFORE INSERT ON policy_history
WHEN EXISTS (SELECT 1 FROM policy_history WHERE sequence = NEW.sequence) BEGIN
  SELECT RAISE(ABORT, 'the history of policies is append-only');
END;
