INSERT INTO policies (tenant, id, effect, role, server, environment) VALUES
  ('acme', 'x', 'deny', 'sales', 'demo', 'prod');
