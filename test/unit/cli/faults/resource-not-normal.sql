INSERT INTO resources (tenant, type, id) VALUES
  ('acme', 'email', 'Alice@Acme.example');
