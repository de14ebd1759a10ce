INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, tools, opened_by, expires_at) VALUES
  ('acme', 'x', '{{issuer}}', 'bob', 'acme-agent', 'mail', '["demo/mail_*"]', 'bob', 4102444800000);
