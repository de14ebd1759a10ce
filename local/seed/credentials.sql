-- Two servers that check for themselves what they are shown (docs/upstream-credentials.md). The tools are
-- those of the demo server.

-- `billing` verifies a token that Sallyport signs for each call, and asks whether it still holds.
-- Its password is public and protects nothing but the demo.
INSERT INTO servers (name, tenant, url, title, required_scope, internal, credential, introspection_digest)
VALUES ('billing', 'acme', '{{server}}/signed/mcp', 'Billing', 'demo:use', 1, 'signed',
        'fb05f2d4fe68cd18e59d193130ce8b72a570bb1906749370f896d4d6bc306120');

-- `archive` takes tokens of the issuer, which Sallyport gets in exchange for the caller's.
INSERT INTO servers (name, tenant, url, title, required_scope, internal, credential, credential_scope,
                     exchange_issuer, exchange_secret)
VALUES ('archive', 'acme', '{{server}}/exchanged/mcp', 'Archive', 'demo:use', 1, 'exchange', 'archive:use',
        '{{issuer}}', 'EXCHANGE_ACME');

INSERT INTO tools (tenant, server, name, access, labels_reviewed) VALUES
  ('acme', 'billing', 'echo',         'read', 1),
  ('acme', 'billing', 'get_customer', 'read', 1),
  ('acme', 'archive', 'echo',         'read', 1),
  ('acme', 'archive', 'get_customer', 'read', 1);

INSERT INTO tool_labels (tenant, server, tool, label) VALUES
  ('acme', 'billing', 'get_customer', 'source.confidential'),
  ('acme', 'archive', 'get_customer', 'source.confidential');

INSERT INTO policies (tenant, id, effect, role, server, access, condition, reason) VALUES
  ('acme', 'sales-may-read-billing', 'allow', 'sales', 'billing', 'read', NULL, 'sales see what was billed'),
  ('acme', 'sales-may-read-archive', 'allow', 'sales', 'archive', 'read', NULL, 'sales look things up'),
  ('acme', 'agents-may-act-on-billing', 'allow', 'agent', 'billing', NULL, 'subject.kind == "user"', 'known clients and agents may act for people'),
  ('acme', 'agents-may-act-on-archive', 'allow', 'agent', 'archive', NULL, 'subject.kind == "user"', 'known clients and agents may act for people');
