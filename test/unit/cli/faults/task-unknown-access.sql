INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, access, opened_by, expires_at) VALUES
  ('acme', 'x', '{{issuer}}', 'bob', 'acme-agent', 'mail', '["reads"]', 'bob', 4102444800000);
