INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES
  ('acme', 'shop', 'find_orders', '/orders/id', 'order');
