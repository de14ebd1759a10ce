-- The tools as they were when somebody looked at them; a tool that changes is denied until it is
-- pinned again. `npm run -s policy -- import` prints such rows for your own server.

INSERT INTO tools (tenant, server, name, access, required_scope, labels_reviewed, definition_hash, definition) VALUES
  ('example', 'help-desk', 'list_tickets', 'read', '', 1,
   '87b68d37cc1d74f090ab2d3d617c56f1c1c463c6009c24c0aa3144823e7f6774',
   '{"description":"Numbers and states of all tickets, without their text.","inputSchema":{"additionalProperties":false,"properties":{"state":{"enum":["open","closed"]}},"required":[],"type":"object"},"name":"list_tickets"}'),
  ('example', 'help-desk', 'read_ticket', 'read', '', 1,
   'c44078ad652722a8f881cdb00d96d82bedb59f6c39ff46eff6cb4381a6e59b42',
   '{"description":"One ticket with what was written.","inputSchema":{"additionalProperties":false,"properties":{"ticket":{"type":"string"}},"required":["ticket"],"type":"object"},"name":"read_ticket"}'),
  ('example', 'help-desk', 'find_customer', 'read', '', 1,
   'f47fc363532c75326a56ab1a6275946766e078d8bd31952e88311cc0b8932e36',
   '{"description":"A customer''s file.","inputSchema":{"additionalProperties":false,"properties":{"customer":{"type":"string"}},"required":["customer"],"type":"object"},"name":"find_customer"}'),
  ('example', 'help-desk', 'tag_ticket', 'write', '', 1,
   'cfe34ae6344ebfb57754ef1f7b66ba415ffcc699eb92375812428d35ca1091ce',
   '{"description":"Sorts a ticket.","inputSchema":{"additionalProperties":false,"properties":{"tag":{"type":"string"},"ticket":{"type":"string"}},"required":["ticket","tag"],"type":"object"},"name":"tag_ticket"}'),
  ('example', 'help-desk', 'send_answer', 'write', '', 1,
   '79b8a90c170e04b9daecf1d25b06949d4e5d28bbcd7aaad5d5904c9eb1f4b3dc',
   '{"description":"Answers a ticket by mail.","inputSchema":{"additionalProperties":false,"properties":{"text":{"type":"string"},"ticket":{"type":"string"}},"required":["ticket","text"],"type":"object"},"name":"send_answer"}'),
  ('example', 'help-desk', 'refund', 'write', 'help:refund', 1,
   '38d8b053d1fa4f15d403f68adf095dd94b957f3c203f47b3d1c2592db4e9fac4',
   '{"description":"Pays money back to the customer of a ticket.","inputSchema":{"additionalProperties":false,"properties":{"amount":{"type":"number"},"currency":{"enum":["EUR","USD"]},"ticket":{"type":"string"}},"required":["ticket","amount","currency"],"type":"object"},"name":"refund"}');

-- A ticket is written by a stranger, a customer's file is confidential, an answer leaves the house.
INSERT INTO tool_labels (tenant, server, tool, label) VALUES
  ('example', 'help-desk', 'read_ticket',   'source.untrusted'),
  ('example', 'help-desk', 'find_customer', 'source.confidential'),
  ('example', 'help-desk', 'send_answer',   'sink.external_send'),
  ('example', 'help-desk', 'refund',        'sink.payment');
