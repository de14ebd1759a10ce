INSERT INTO revocations (tenant, kind, id) VALUES
  ('acme', 'client', 'acme_agent');
