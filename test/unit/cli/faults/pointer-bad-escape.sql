INSERT INTO tool_arguments (tenant, server, tool, pointer, role) VALUES
  ('acme', 'demo', 'echo', '/a~2b', 'content');
