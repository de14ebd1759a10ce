INSERT INTO revocations (tenant, kind, id, issuer) VALUES
  ('acme', 'subject', 'alice', 'https://issuer.exampel');
