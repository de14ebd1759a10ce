INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, opened_by, expires_at) VALUES
  ('acme', 'x', '{{issuer}}', 'bob', 'acme-agent', 'mail', 'bob', 1700000000000);
