-- Whom the tenant trusts, who works there, and the server. Replace every name.

INSERT INTO tenants (id, name) VALUES ('example', 'Example Inc.');

INSERT INTO issuers (tenant, url, jwks_uri, algorithms) VALUES
  ('example', 'https://login.example.com/', 'https://login.example.com/.well-known/jwks.json', '["RS256"]');

INSERT INTO clients (tenant, issuer, id, name) VALUES
  ('example', 'https://login.example.com/', 'desk-client', 'Chat client on the desk'),
  ('example', 'https://login.example.com/', 'nightly',     'A job that acts for nobody');

INSERT INTO agents (tenant, issuer, id, name) VALUES
  ('example', 'https://login.example.com/', 'report-bot', 'Writes weekly reports');

-- People hold the roles of their work, software holds `agent`. `nightly` holds nothing.
INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES
  ('example', 'https://login.example.com/', 'user',   'ana',         'analyst'),
  ('example', 'https://login.example.com/', 'user',   'omar',        'operator'),
  ('example', 'https://login.example.com/', 'client', 'desk-client', 'agent'),
  ('example', 'https://login.example.com/', 'agent',  'report-bot',  'agent');

INSERT INTO servers (name, tenant, url, title, required_scope, internal) VALUES
  ('warehouse', 'example', 'https://warehouse.example.com/mcp', 'Data warehouse', 'warehouse:use', 1);
