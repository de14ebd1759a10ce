INSERT INTO resources (tenant, type, id, labels) VALUES
  ('acme', 'order', '18', '["source.confidental"]');
