INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'a', 'deny', 'support', NULL, NULL, 'demo', 'send_email', NULL, NULL, NULL),
  ('acme', 'x', 'allow', 'support', NULL, NULL, 'demo', 'echo', 'write', NULL, '"a" = "b"');
