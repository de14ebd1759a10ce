INSERT INTO resources (tenant, type, id) VALUES
  ('acme', 'invoice', '1');
