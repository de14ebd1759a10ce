INSERT INTO policies (tenant, id, effect, mode, role, server, tool) VALUES
  ('acme', 'x', 'allow', 'shadow', 'sales', 'demo', 'get_customer');
