-- Whom the tenant trusts, who works there, and its one server. Replace every name.

INSERT INTO tenants (id, name, own_domains) VALUES ('meridian', 'Meridian', '["@meridian.example"]');

INSERT INTO issuers (tenant, url, jwks_uri, algorithms) VALUES
  ('meridian', 'https://login.meridian.example/', 'https://login.meridian.example/jwks.json', '["RS256"]');

INSERT INTO clients (tenant, issuer, id, name) VALUES
  ('meridian', 'https://login.meridian.example/', 'desk-app', 'The assistant at every desk');

INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES
  ('meridian', 'https://login.meridian.example/', 'user',   'ana',      'staff'),
  ('meridian', 'https://login.meridian.example/', 'client', 'desk-app', 'assistant');

INSERT INTO servers (name, tenant, url, title, internal) VALUES
  ('desk', 'meridian', 'https://desk.meridian.example/mcp', 'Orders, mail and releases', 1);
