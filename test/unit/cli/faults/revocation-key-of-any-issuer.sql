INSERT INTO revocations (tenant, kind, id) VALUES
  ('acme', 'issuer_key', 'k1');
