INSERT INTO tasks (tenant, id, issuer, subject, client, agent, purpose, opened_by, expires_at) VALUES
  ('acme', 'x', '{{issuer}}', 'bob', 'acme-agent', 'reserch-bot', 'mail', 'bob', 4102444800000);
