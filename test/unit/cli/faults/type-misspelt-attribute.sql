INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'deny', 'sales', NULL, NULL, 'demo', NULL, NULL, NULL, 'subject.tennant == "acme"');
