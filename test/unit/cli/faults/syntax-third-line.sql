INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'allow', 'support', NULL, NULL, 'demo', 'echo', 'write', NULL, 'subject.id == "a" &&
 client.id == "it''s" &&
 (true');
