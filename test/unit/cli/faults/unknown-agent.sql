INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'deny', NULL, NULL, 'reserch-bot', 'demo', NULL, NULL, NULL, NULL);
