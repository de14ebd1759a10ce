INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'deny', NULL, NULL, 'research-bot', 'demo', 'send_email', NULL, 'sink.external_send', NULL);
