INSERT INTO policies (tenant, id, effect, role, server, tool, condition) VALUES
  ('acme', 'x', 'deny', 'sales', 'shop', 'refund', 'args.amount * 2 > 100');
