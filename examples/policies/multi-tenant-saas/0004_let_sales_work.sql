-- The same policies for both customers; each changes its own.

INSERT INTO policies (tenant, id, effect, role, server, tool, access, condition, require_acr, max_auth_age_s, reason) VALUES
  ('north', 'sales-may-read', 'allow', 'sales', 'north-crm', NULL, 'read', NULL, NULL, NULL,
   'sales work with accounts'),
  ('north', 'sales-may-write', 'allow', 'sales', 'north-crm', NULL, 'write', NULL, NULL, NULL,
   'sales keep accounts up to date'),
  ('north', 'sales-may-export', 'allow', 'sales', 'north-crm', NULL, 'export', NULL, 'mfa', 300,
   'an export needs a second factor, lately'),
  ('north', 'agents-may-act', 'allow', 'agent', NULL, NULL, NULL, 'subject.kind == "user"', NULL, NULL,
   'known software may act for people'),
  ('north', 'only-our-accounts', 'deny', NULL, 'north-crm', NULL, NULL,
   'targets.exists(t, !t.listed)', NULL, NULL, 'what no row speaks of could be anybody''s'),
  ('south', 'sales-may-read', 'allow', 'sales', 'south-crm', NULL, 'read', NULL, NULL, NULL,
   'sales work with accounts'),
  ('south', 'sales-may-write', 'allow', 'sales', 'south-crm', NULL, 'write', NULL, NULL, NULL,
   'sales keep accounts up to date'),
  ('south', 'sales-may-export', 'allow', 'sales', 'south-crm', NULL, 'export', NULL, 'mfa', 300,
   'an export needs a second factor, lately'),
  ('south', 'agents-may-act', 'allow', 'agent', NULL, NULL, NULL, 'subject.kind == "user"', NULL, NULL,
   'known software may act for people'),
  ('south', 'only-our-accounts', 'deny', NULL, 'south-crm', NULL, NULL,
   'targets.exists(t, !t.listed)', NULL, NULL, 'what no row speaks of could be anybody''s'),
  ('south', 'sales-may-see-invoices', 'allow', 'sales', 'south-billing', NULL, 'read', NULL, NULL, NULL,
   'sales answer questions about invoices');

-- Would this be in anybody's way? It changes no outcome, and each record says what it would have done.
INSERT INTO policies (tenant, id, effect, mode, server, access, condition, reason) VALUES
  ('north', 'writes-from-home-only', 'deny', 'shadow', 'north-crm', 'write',
   '!(network.country in ["DE", "DK"])', 'nobody of North works elsewhere');

INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, condition, title, reason) VALUES
  ('north', 'three-exports', 'deny', 'sink.export', 'event_count', '["sink.export"]', 86400, '{"gt":3}',
   'At most three exports a day', 'too_many_exports'),
  ('south', 'three-exports', 'deny', 'sink.export', 'event_count', '["sink.export"]', 86400, '{"gt":3}',
   'At most three exports a day', 'too_many_exports');
