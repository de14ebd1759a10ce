INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, data_classes, opened_by, expires_at) VALUES
  ('acme', 'x', '{{issuer}}', 'bob', 'acme-agent', 'mail', '["secret"]', 'bob', 4102444800000);
