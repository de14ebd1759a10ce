INSERT INTO task_openers (tenant, issuer, kind, id, client) VALUES
  ('acme', '{{issuer}}', 'user', 'alice', 'acme-agnet');
