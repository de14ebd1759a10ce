-- Which arguments name tickets and customers, and who works on which. The help desk itself writes
-- these rows as it assigns tickets; they are read afresh at every call.

INSERT INTO resource_types (tenant, name, form) VALUES
  ('example', 'ticket',   'exact'),
  ('example', 'customer', 'exact');

INSERT INTO tool_arguments (tenant, server, tool, pointer, role, resource_type) VALUES
  ('example', 'help-desk', 'read_ticket',   '/ticket',   'target', 'ticket'),
  ('example', 'help-desk', 'find_customer', '/customer', 'target', 'customer'),
  ('example', 'help-desk', 'tag_ticket',    '/ticket',   'target', 'ticket'),
  ('example', 'help-desk', 'send_answer',   '/ticket',   'target', 'ticket'),
  ('example', 'help-desk', 'refund',        '/ticket',   'target', 'ticket');

INSERT INTO resources (tenant, type, id, owner, owner_issuer, sensitivity) VALUES
  ('example', 'ticket',   'T-100', 'sam', 'https://login.example.com/', 'internal'),
  ('example', 'ticket',   'T-200', 'kim', 'https://login.example.com/', 'internal'),
  ('example', 'customer', 'C-10',  'sam', 'https://login.example.com/', 'confidential'),
  ('example', 'customer', 'C-20',  'kim', 'https://login.example.com/', 'confidential');
