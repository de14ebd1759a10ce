INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'allow', NULL, NULL, '*', 'demo', 'delete_customer', NULL, NULL, NULL);
