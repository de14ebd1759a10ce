INSERT INTO resources (tenant, type, id, owner, owner_issuer) VALUES
  ('acme', 'order', '18', 'alice', 'https://other.example');
