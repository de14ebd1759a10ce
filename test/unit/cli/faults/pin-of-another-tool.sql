INSERT INTO tools (tenant, server, name, access, labels_reviewed, definition_hash, definition) VALUES
  ('acme', 'shop', 'sum_orders', 'read', 1, '6f5b0b132e36c334cf498e06811e2ae51defc6995d57cc16ed0f2131504377e9', '{"inputSchema":{"type":"object"},"name":"count_orders"}');
