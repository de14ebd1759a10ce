-- A second tenant behind the same deployment, issuer and upstream. It exists to show that nothing of
-- one tenant reaches the other: names may be equal (there is an alice here too), rows are not shared.

INSERT INTO tenants (id, name) VALUES ('globex', 'Globex Ltd');

INSERT INTO issuers (tenant, url, jwks_uri, algorithms, tenant_claim, demo)
VALUES ('globex', '{{issuer}}', '{{issuer}}/jwks.json', '["ES256"]', 'tenant', 1);

INSERT INTO clients (tenant, issuer, id, name)
VALUES ('globex', '{{issuer}}', 'globex-agent', 'Globex''s own agent');

INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role) VALUES
  ('globex', '{{issuer}}', 'user',   'alice',        'reader'),
  ('globex', '{{issuer}}', 'user',   'dana',         'reader'),
  ('globex', '{{issuer}}', 'client', 'globex-agent', 'agent');

INSERT INTO servers (name, tenant, url, title, required_scope, internal)
VALUES ('globex-demo', 'globex', '{{server}}/mcp', 'Customers and mail of Globex', 'demo:use', 1);

INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES
  ('globex', 'globex-demo', 'echo',             'read', 1),
  ('globex', 'globex-demo', 'search_customers', 'read', 1);

INSERT INTO tool_labels (tenant, server, tool, label) VALUES
  ('globex', 'globex-demo', 'search_customers', 'source.confidential'),
  ('globex', 'globex-demo', 'search_customers', 'source.bulk');

INSERT INTO policies (tenant, id, effect, role, server, access, reason) VALUES
  ('globex', 'readers-may-read', 'allow', 'reader', 'globex-demo', 'read', 'readers read'),
  ('globex', 'agents-may-act',   'allow', 'agent',  'globex-demo', NULL,   'known clients may act');
