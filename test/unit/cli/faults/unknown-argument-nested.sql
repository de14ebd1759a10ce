INSERT INTO policies (tenant, id, effect, role, server, tool, condition) VALUES
  ('acme', 'x', 'deny', 'sales', 'shop', 'find_orders', 'has(args.filter) && has(args.filter.stat)');
