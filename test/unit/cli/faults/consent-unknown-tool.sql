INSERT INTO consents (tenant, id, issuer, subject, client, server, tool) VALUES
  ('acme', 'x', '{{issuer}}', 'alice', 'acme-agent', 'shop', 'refunds');
