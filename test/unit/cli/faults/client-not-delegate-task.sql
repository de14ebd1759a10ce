UPDATE clients SET acts_for_users = 0 WHERE id = 'inspector';
INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at) VALUES
  ('acme', 'x', '{{issuer}}', 'alice', 'inspector', 'orders', 'alice', 4102444800000);
