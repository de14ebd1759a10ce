INSERT INTO policies (tenant, id, effect, role, server, require_approval) VALUES
  ('acme', 'x', 'deny', 'sales', 'demo', 1);
