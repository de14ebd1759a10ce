-- Two customers of one product, each a tenant of its own. They share an identity provider, whose
-- tokens say in `org` which customer they speak for, and they share the CRM behind it.

INSERT INTO tenants (id, name) VALUES ('north', 'North Ltd.'), ('south', 'South GmbH');

INSERT INTO issuers (tenant, url, jwks_uri, algorithms, tenant_claim) VALUES
  ('north', 'https://login.example.com/', 'https://login.example.com/.well-known/jwks.json', '["RS256"]', 'org'),
  ('south', 'https://login.example.com/', 'https://login.example.com/.well-known/jwks.json', '["RS256"]', 'org');

INSERT INTO clients (tenant, issuer, id, name) VALUES
  ('north', 'https://login.example.com/', 'assistant', 'Chat assistant'),
  ('north', 'https://login.example.com/', 'reporter',  'Another assistant, which nobody consented to'),
  ('south', 'https://login.example.com/', 'assistant', 'Chat assistant');

INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES
  ('north', 'https://login.example.com/', 'user',   'nora',      'sales'),
  ('north', 'https://login.example.com/', 'user',   'nils',      'sales'),
  ('north', 'https://login.example.com/', 'client', 'assistant', 'agent'),
  ('north', 'https://login.example.com/', 'client', 'reporter',  'agent'),
  ('south', 'https://login.example.com/', 'user',   'sofia',     'sales'),
  ('south', 'https://login.example.com/', 'client', 'assistant', 'agent');

-- One upstream, one server for each customer: the name in the path picks the tenant.
INSERT INTO servers (name, tenant, url, title, required_scope, internal, consent_required) VALUES
  ('north-crm', 'north', 'https://crm.example.com/mcp', 'CRM of North', 'crm:use', 1, 1),
  ('south-crm', 'south', 'https://crm.example.com/mcp', 'CRM of South', 'crm:use', 1, 1);

-- New at South, and watched for a week before it enforces: until then only door one, revocations and
-- the borders between tenants are enforced. `policy check` says so for as long as the row says it.
INSERT INTO servers (name, tenant, url, title, required_scope, internal, observe_until) VALUES
  ('south-billing', 'south', 'https://billing.example.com/mcp', 'Billing of South', 'billing:use', 1,
   (unixepoch() + 7 * 86400) * 1000);
