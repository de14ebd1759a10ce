INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'allow', 'saless', NULL, NULL, 'demo', NULL, NULL, NULL, NULL);
