INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type, optional) VALUES
  ('acme', 'shop', 'refund', '/ordr', 'order', 1);
