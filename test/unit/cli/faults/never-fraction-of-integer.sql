INSERT INTO policies (tenant, id, effect, role, server, tool, condition) VALUES
  ('acme', 'x', 'deny', 'sales', 'shop', 'refund', 'has(args.count) && args.count == 1.5');
