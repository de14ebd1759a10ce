INSERT INTO policies (tenant, id, effect, role, server, tool, condition) VALUES
  ('acme', 'x', 'deny', 'sales', 'demo', 'echo', 'has(args.id) && args.id == 9007199254740993');
