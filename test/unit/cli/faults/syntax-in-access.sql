INSERT INTO tool_access (tenant, server, tool, access, condition) VALUES
  ('acme', 'demo', 'echo', 'write', 'args.method = "POST"');
