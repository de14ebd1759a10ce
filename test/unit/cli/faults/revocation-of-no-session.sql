INSERT INTO revocations (tenant, kind, id) VALUES
  ('acme', 'session', 'alice');
