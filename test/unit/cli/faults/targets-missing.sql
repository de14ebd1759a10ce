INSERT INTO policies (tenant, id, effect, role, server, tool, condition) VALUES
  ('acme', 'x', 'deny', 'sales', 'demo', 'echo', 'targets.exists(t, !t.owned)');
