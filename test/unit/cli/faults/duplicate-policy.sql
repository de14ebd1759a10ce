INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'allow', 'sales', NULL, NULL, 'demo', NULL, 'export', NULL, NULL);
