INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'no-exports', 'deny', 'support', NULL, NULL, NULL, NULL, NULL, 'sink.export', NULL),
  ('acme', 'x', 'allow', 'support', NULL, NULL, 'demo', 'export_customers', NULL, NULL, NULL);
