INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'allow', 'support', NULL, NULL, 'demo', 'report_*', NULL, NULL, NULL);
