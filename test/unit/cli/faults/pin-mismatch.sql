INSERT INTO tools (tenant, server, name, access, labels_reviewed, definition_hash, definition) VALUES
  ('acme', 'shop', 'count_orders', 'read', 1, '0000000000000000000000000000000000000000000000000000000000000000', '{"inputSchema":{"type":"object"},"name":"count_orders"}');
