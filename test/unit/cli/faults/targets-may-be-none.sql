INSERT INTO policies (tenant, id, effect, role, server, tool, condition) VALUES
  ('acme', 'x', 'allow', 'sales', 'shop', 'find_orders', 'targets.all(t, t.sensitivity == "public")');
