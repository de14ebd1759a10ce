INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'deny', 'sales', NULL, NULL, 'demo', NULL, NULL, NULL, 'subject.roles.exists(r, tool.labels.exists(l, l == r))');
