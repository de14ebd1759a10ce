INSERT INTO revocations (tenant, kind, id) VALUES
  ('acme', 'token', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl');
