INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'yes', 'allow', 'support', NULL, NULL, 'demo', 'send_email', NULL, NULL, NULL),
  ('acme', 'no', 'deny', 'support', NULL, NULL, 'demo', 'send_email', NULL, NULL, NULL);
