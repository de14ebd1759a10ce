INSERT INTO policies (tenant, id, effect, role, server, tool, condition) VALUES
  ('acme', 'x', 'deny', 'sales', 'demo', 'echo', 'has(args.amount) && args.amount in [5u]');
