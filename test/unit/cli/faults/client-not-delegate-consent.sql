UPDATE clients SET acts_for_users = 0 WHERE id = 'inspector';
INSERT INTO consents (tenant, id, issuer, subject, client, server, access) VALUES
  ('acme', 'x', '{{issuer}}', 'alice', 'inspector', 'shop', 'read');
