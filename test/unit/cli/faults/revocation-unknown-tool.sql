INSERT INTO revocations (tenant, kind, id) VALUES
  ('acme', 'tool', 'shop/refunds');
