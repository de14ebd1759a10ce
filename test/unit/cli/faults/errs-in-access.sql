INSERT INTO tool_access (tenant, server, tool, access, condition) VALUES
  ('acme', 'shop', 'refund', 'read', 'args.mode.startsWith("dry")');
