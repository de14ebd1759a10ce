-- What people let a client do in their name: this client, and one tool or one class of access, until
-- a date. The page `/consents/{server}` writes such rows. To take one back, set `revoked_at`.

INSERT INTO consents (tenant, id, issuer, subject, client, server, tool, access, purpose, granted_at, expires_at, revoked_at) VALUES
  ('north', 'nora-reads',   'https://login.example.com/', 'nora', 'assistant', 'north-crm', NULL, 'read',
   'look things up', 1790000000000, 4102444800000, NULL),
  ('north', 'nora-updates', 'https://login.example.com/', 'nora', 'assistant', 'north-crm', 'update_account', 'write',
   'keep accounts up to date', 1790000000000, 4102444800000, NULL),
  ('north', 'nora-exports', 'https://login.example.com/', 'nora', 'assistant', 'north-crm', 'export_accounts', 'export',
   'quarterly report', 1790000000000, 4102444800000, NULL),
  ('north', 'nils-reads',   'https://login.example.com/', 'nils', 'assistant', 'north-crm', NULL, 'read',
   'look things up', 1760000000000, 1790000000000, NULL),
  ('north', 'nils-updates', 'https://login.example.com/', 'nils', 'assistant', 'north-crm', 'update_account', 'write',
   'tried out', 1790000000000, NULL, 1791000000000),
  ('south', 'sofia-reads',  'https://login.example.com/', 'sofia', 'assistant', 'south-crm', NULL, 'read',
   'look things up', 1790000000000, 4102444800000, NULL);
