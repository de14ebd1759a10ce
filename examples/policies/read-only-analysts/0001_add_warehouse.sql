-- Whom the tenant trusts, who works there, and the server with its tools. Replace every name.

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

INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES
  ('example', 'warehouse', 'list_tables',   'read',        1),
  ('example', 'warehouse', 'run_query',     'read',        1),
  ('example', 'warehouse', 'read_comments', 'read',        1),
  ('example', 'warehouse', 'post_message',  'write',       1),
  ('example', 'warehouse', 'export_table',  'export',      1),
  ('example', 'warehouse', 'drop_table',    'destructive', 1);

-- Comments are written by strangers; a message leaves the house.
INSERT INTO tool_labels (tenant, server, tool, label) VALUES
  ('example', 'warehouse', 'run_query',     'source.confidential'),
  ('example', 'warehouse', 'read_comments', 'source.untrusted'),
  ('example', 'warehouse', 'post_message',  'sink.external_send');
