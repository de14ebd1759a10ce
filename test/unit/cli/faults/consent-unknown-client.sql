INSERT INTO consents (tenant, id, issuer, subject, client, server, access) VALUES
  ('acme', 'x', '{{issuer}}', 'alice', 'acme_agent', 'shop', 'read');
