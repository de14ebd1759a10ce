-- The demo tenant. Local only: `migrations/` alone knows no issuer, no server and no allow.
-- {{issuer}} and {{server}} are filled in at start, because ports differ from stack to stack.

INSERT INTO tenants (id, name) VALUES ('acme', 'Acme Corp');

-- Both demo tenants share this issuer, so each token says which of them it speaks for.
-- Acme's people may hold opaque tokens as well, and log in to Sallyport's own pages.
INSERT INTO issuers (tenant, url, jwks_uri, algorithms, tenant_claim, demo,
                     introspection, introspection_url, introspection_secret, login_client,
                     token_url, revocation_url)
VALUES ('acme', '{{issuer}}', '{{issuer}}/jwks.json', '["ES256"]', 'tenant', 1,
        'opaque', '{{issuer}}/introspect', 'INTROSPECTION_ACME', 'sallyport-pages',
        '{{issuer}}/token', '{{issuer}}/revoke');

INSERT INTO clients (tenant, issuer, id, name, redirect_hosts) VALUES
  ('acme', '{{issuer}}', 'acme-agent',  'Acme''s own agent',                 '["127.0.0.1","localhost"]'),
  ('acme', '{{issuer}}', 'other-agent', 'Another agent of the same people', '["127.0.0.1","localhost"]'),
  ('acme', '{{issuer}}', 'inspector',   'MCP Inspector',                    '["127.0.0.1","localhost"]');

-- Opens tasks for people, and never acts for them: what it says of a task is nobody's who is bound by it.
INSERT INTO clients (tenant, issuer, id, name, acts_for_users) VALUES
  ('acme', '{{issuer}}', 'front-desk', 'Where people ask for something to be done', 0);
INSERT INTO task_openers (tenant, issuer, kind, id, client, for_others, may_approve) VALUES
  ('acme', '{{issuer}}', 'client', 'front-desk', '*', 1, 1);

INSERT INTO agents (tenant, issuer, id, name) VALUES
  ('acme', '{{issuer}}', 'research-bot', 'Reads a lot, sends nothing'),
  ('acme', '{{issuer}}', 'mail-bot',     'Reads and answers mail');

-- People hold the roles of their work. Clients and agents hold `agent`: software that may act for
-- somebody. A client called `alice` would not be the user `alice`.
INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES
  ('acme', '{{issuer}}', 'user',   'alice',        'sales'),
  ('acme', '{{issuer}}', 'user',   'bob',          'support'),
  ('acme', '{{issuer}}', 'user',   'carol',        'admin'),
  ('acme', '{{issuer}}', 'client', 'acme-agent',   'agent'),
  ('acme', '{{issuer}}', 'client', 'other-agent',  'agent'),
  ('acme', '{{issuer}}', 'client', 'inspector',    'agent'),
  ('acme', '{{issuer}}', 'agent',  'research-bot', 'agent'),
  ('acme', '{{issuer}}', 'agent',  'mail-bot',     'agent');

INSERT INTO servers (name, tenant, url, title, required_scope, internal)
VALUES ('demo', 'acme', '{{server}}/mcp', 'Customers and mail', 'demo:use', 1);

-- `labels_reviewed = 1`: a person has looked at them. Classes of access are labels too: an export is
-- `sink.export`, a write `sink.update`, a delete `sink.destructive`.
INSERT INTO tools (tenant, server, name, access, required_scope, labels_reviewed) VALUES
  ('acme', 'demo', 'echo',             'read',        '',            1),
  ('acme', 'demo', 'slow_count',       'read',        '',            1),
  ('acme', 'demo', 'search_customers', 'read',        '',            1),
  ('acme', 'demo', 'get_customer',     'read',        '',            1),
  ('acme', 'demo', 'read_inbox',       'read',        '',            1),
  ('acme', 'demo', 'export_customers', 'export',      'demo:export', 1),
  ('acme', 'demo', 'send_email',       'write',       'demo:write',  1),
  ('acme', 'demo', 'update_customer',  'write',       'demo:write',  1),
  ('acme', 'demo', 'delete_customer',  'destructive', 'demo:write',  1);

INSERT INTO tool_labels (tenant, server, tool, label) VALUES
  ('acme', 'demo', 'search_customers', 'source.confidential'),
  ('acme', 'demo', 'search_customers', 'source.bulk'),
  ('acme', 'demo', 'get_customer',     'source.confidential'),
  ('acme', 'demo', 'read_inbox',       'source.untrusted'),
  ('acme', 'demo', 'send_email',       'sink.external_send');

-- Which arguments name customers. A customer without a row in `resources` is nobody's, and internal.
INSERT INTO resource_types (tenant, name) VALUES ('acme', 'customer');
INSERT INTO tool_arguments (tenant, server, tool, pointer, role, resource_type, unlisted) VALUES
  ('acme', 'demo', 'get_customer',    '/id', 'selector', 'customer', 'internal'),
  ('acme', 'demo', 'update_customer', '/id', 'target',   'customer', 'internal'),
  ('acme', 'demo', 'delete_customer', '/id', 'target',   'customer', 'internal');

-- Every call needs a yes for its person and another for the software that acts. A row that names no
-- agent speaks for the person only.
INSERT INTO policies (tenant, id, effect, role, agent, server, tool, access, label, condition, reason) VALUES
  ('acme', 'sales-may-read',    'allow', 'sales',   NULL, 'demo', NULL, 'read',        NULL, NULL, 'sales work with customers'),
  ('acme', 'sales-may-write',   'allow', 'sales',   NULL, 'demo', NULL, 'write',       NULL, NULL, 'sales keep customers up to date'),
  ('acme', 'sales-may-export',  'allow', 'sales',   NULL, 'demo', NULL, 'export',      NULL, NULL, 'sales report on their customers'),
  ('acme', 'sales-may-delete',  'allow', 'sales',   NULL, 'demo', NULL, 'destructive', NULL, NULL, 'sales remove customers who left'),
  ('acme', 'support-may-read',  'allow', 'support', NULL, 'demo', NULL, 'read',        NULL, NULL, 'support answers customers'),
  ('acme', 'support-may-update-open', 'allow', 'support', NULL, 'demo', 'update_customer', NULL, NULL,
   '!has(args.fields) || !has(args.fields.stage) || args.fields.stage != "closed"', 'support closes no deals'),
  ('acme', 'admin-may-all',     'allow', 'admin',   NULL, 'demo', NULL, NULL,          NULL, NULL, 'admins repair things'),

  -- The other yes: for software that acts for a person, within what the person may do.
  ('acme', 'agents-may-act',    'allow', 'agent',   NULL, 'demo', NULL, NULL,          NULL, 'subject.kind == "user"', 'known clients and agents may act for people'),
  -- Software that acts for nobody but itself has a row of its own: no exports, no deletions.
  ('acme', 'jobs-may-read',     'allow', 'agent',   NULL, 'demo', NULL, 'read',        NULL, 'subject.kind == "workload"', 'jobs look things up'),
  ('acme', 'jobs-may-update',   'allow', 'agent',   NULL, 'demo', 'update_customer', NULL, NULL, 'subject.kind == "workload"', 'jobs keep records up to date'),

  -- One deny overrides every allow.
  ('acme', 'research-bot-sends-nothing', 'deny', NULL, 'research-bot', NULL, NULL, NULL, 'sink.external_send', NULL, 'a bot that reads everything must not send anything'),
  ('acme', 'privileged-is-for-admins',   'deny', NULL, NULL, NULL, NULL, NULL, 'sink.privileged', '!("admin" in subject.roles)', 'only admins touch privileged tools'),
  ('acme', 'restricted-is-for-admins',   'deny', NULL, NULL, NULL, NULL, NULL, NULL,
   'targets.exists(t, t.sensitivity == "restricted") && !("admin" in subject.roles)', 'restricted customers are for admins'),
  ('acme', 'others-customers-stay',      'deny', NULL, NULL, 'demo', 'delete_customer', NULL, NULL,
   'targets.exists(t, t.owner != "" && !t.owned)', 'nobody deletes a customer who is somebody else''s');

-- What may not follow what, for as long as the same person's history goes, whatever token, client,
-- agent or session the next call comes with.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, type, rules, timespan_s, condition, title, reason) VALUES
  ('acme', 'no-export-after-broad-read', 'deny', 'high', 'sink.export', 'temporal',
   '["source.confidential","source.bulk"]', 1800, NULL,
   'No export within half an hour of reading confidential data in bulk', 'bulk_read_then_export'),
  ('acme', 'ten-deletes', 'deny', 'critical', 'sink.destructive', 'event_count',
   '["sink.destructive"]', 600, '{"gt":10}',
   'At most ten deletions in ten minutes', 'too_many_deletes');
