-- Whom the tenant trusts, who works there, and the help desk. Replace every name.

INSERT INTO tenants (id, name) VALUES ('example', 'Example Inc.');

INSERT INTO issuers (tenant, url, jwks_uri, algorithms) VALUES
  ('example', 'https://login.example.com/', 'https://login.example.com/.well-known/jwks.json', '["RS256"]');

INSERT INTO clients (tenant, issuer, id, name) VALUES
  ('example', 'https://login.example.com/', 'help-desk', 'The help desk''s own client');

INSERT INTO agents (tenant, issuer, id, name) VALUES
  ('example', 'https://login.example.com/', 'answer-bot', 'Drafts and sends answers'),
  ('example', 'https://login.example.com/', 'triage-bot', 'Sorts tickets');

-- People hold the roles of their work, each piece of software a role of its own.
INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES
  ('example', 'https://login.example.com/', 'user',   'sam',        'support'),
  ('example', 'https://login.example.com/', 'user',   'kim',        'support'),
  ('example', 'https://login.example.com/', 'user',   'lea',        'lead'),
  ('example', 'https://login.example.com/', 'client', 'help-desk',  'desk'),
  ('example', 'https://login.example.com/', 'agent',  'answer-bot', 'answering'),
  ('example', 'https://login.example.com/', 'agent',  'triage-bot', 'triage');

INSERT INTO servers (name, tenant, url, title, required_scope, internal) VALUES
  ('help-desk', 'example', 'https://help.example.com/mcp', 'Help desk', 'help:use', 1);
