INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'allow', 'sales', 'acme_agent', NULL, 'demo', NULL, NULL, NULL, NULL);
