INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'nobody-mails', 'deny', NULL, NULL, NULL, 'demo', 'send_*', NULL, NULL, NULL),
  ('acme', 'x', 'allow', 'support', NULL, NULL, 'demo', 'send_email', NULL, NULL, NULL);
