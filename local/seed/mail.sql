-- Acme's mail, by itself: what a program does here in somebody's name, that person has allowed before
-- (docs/consents.md). The tools are those of the demo server.

INSERT INTO servers (name, tenant, url, title, required_scope, internal, consent_required)
VALUES ('mail', 'acme', '{{server}}/mcp', 'Mail', 'demo:use', 1, 1);

INSERT INTO tools (tenant, server, name, access, required_scope, labels_reviewed) VALUES
  ('acme', 'mail', 'read_inbox', 'read',  '',           1),
  ('acme', 'mail', 'send_email', 'write', 'demo:write', 1);

INSERT INTO tool_labels (tenant, server, tool, label) VALUES
  ('acme', 'mail', 'read_inbox', 'source.untrusted'),
  ('acme', 'mail', 'send_email', 'sink.external_send');

INSERT INTO policies (tenant, id, effect, role, server, access, condition, reason) VALUES
  ('acme', 'sales-may-read-mail',  'allow', 'sales', 'mail', 'read',  NULL, 'sales read their mail'),
  ('acme', 'sales-may-write-mail', 'allow', 'sales', 'mail', 'write', NULL, 'sales answer their mail'),
  ('acme', 'agents-may-act-on-mail', 'allow', 'agent', 'mail', NULL, 'subject.kind == "user"', 'known clients and agents may act for people');
