-- The tools as they were when somebody looked at them; a tool that changes is denied until it is
-- pinned again. `npm run -s policy -- import` prints such rows for your own server.

INSERT INTO tools (tenant, server, name, access, required_scope, labels_reviewed, definition_hash, definition) VALUES
  ('north', 'north-crm', 'find_accounts', 'read', '', 1,
   'defeb655e6498801664abf8f44e988e48a584ee26ca805e30b06a612d1d7e162',
   '{"description":"Accounts whose name holds a text.","inputSchema":{"additionalProperties":false,"properties":{"text":{"type":"string"}},"required":["text"],"type":"object"},"name":"find_accounts","outputSchema":{"additionalProperties":false,"properties":{"accounts":{"items":{"additionalProperties":false,"properties":{"id":{"type":"string"},"name":{"type":"string"}},"required":["id","name"],"type":"object"},"type":"array"}},"required":["accounts"],"type":"object"}}'),
  ('north', 'north-crm', 'get_account', 'read', '', 1,
   'd42f2b2944d11b8fcb25af11e494cdb09295d5d214556abdef13e7d1fd39f0e9',
   '{"description":"One account.","inputSchema":{"additionalProperties":false,"properties":{"account":{"type":"string"}},"required":["account"],"type":"object"},"name":"get_account"}'),
  ('north', 'north-crm', 'update_account', 'write', '', 1,
   '921572cb20009aa6c9bdaf44adeef7e0350e8512663c4fa8293f4c855af19f66',
   '{"description":"Changes one account.","inputSchema":{"additionalProperties":false,"properties":{"account":{"type":"string"},"fields":{"type":"object"}},"required":["account","fields"],"type":"object"},"name":"update_account"}'),
  ('north', 'north-crm', 'export_accounts', 'export', '', 1,
   '454317045857ee6e82fbbbd6fec88169724de6c49eef15b745350b7a1e661a31',
   '{"description":"These accounts as a file.","inputSchema":{"additionalProperties":false,"properties":{"accounts":{"items":{"type":"string"},"maxItems":50,"minItems":1,"type":"array"}},"required":["accounts"],"type":"object"},"name":"export_accounts"}');

INSERT INTO tools (tenant, server, name, access, required_scope, labels_reviewed, definition_hash, definition) VALUES
  ('south', 'south-crm', 'find_accounts', 'read', '', 1,
   'defeb655e6498801664abf8f44e988e48a584ee26ca805e30b06a612d1d7e162',
   '{"description":"Accounts whose name holds a text.","inputSchema":{"additionalProperties":false,"properties":{"text":{"type":"string"}},"required":["text"],"type":"object"},"name":"find_accounts","outputSchema":{"additionalProperties":false,"properties":{"accounts":{"items":{"additionalProperties":false,"properties":{"id":{"type":"string"},"name":{"type":"string"}},"required":["id","name"],"type":"object"},"type":"array"}},"required":["accounts"],"type":"object"}}'),
  ('south', 'south-crm', 'get_account', 'read', '', 1,
   'd42f2b2944d11b8fcb25af11e494cdb09295d5d214556abdef13e7d1fd39f0e9',
   '{"description":"One account.","inputSchema":{"additionalProperties":false,"properties":{"account":{"type":"string"}},"required":["account"],"type":"object"},"name":"get_account"}'),
  ('south', 'south-crm', 'update_account', 'write', '', 1,
   '921572cb20009aa6c9bdaf44adeef7e0350e8512663c4fa8293f4c855af19f66',
   '{"description":"Changes one account.","inputSchema":{"additionalProperties":false,"properties":{"account":{"type":"string"},"fields":{"type":"object"}},"required":["account","fields"],"type":"object"},"name":"update_account"}'),
  ('south', 'south-crm', 'export_accounts', 'export', '', 1,
   '454317045857ee6e82fbbbd6fec88169724de6c49eef15b745350b7a1e661a31',
   '{"description":"These accounts as a file.","inputSchema":{"additionalProperties":false,"properties":{"accounts":{"items":{"type":"string"},"maxItems":50,"minItems":1,"type":"array"}},"required":["accounts"],"type":"object"},"name":"export_accounts"}');

INSERT INTO tools (tenant, server, name, access, required_scope, labels_reviewed, definition_hash, definition) VALUES
  ('south', 'south-billing', 'list_invoices', 'read', '', 1,
   '79c690e1bdc2afe14eb1f31ad6ea70e92db6999e30f6324834715778aceeb683',
   '{"description":"Invoices of one account.","inputSchema":{"additionalProperties":false,"properties":{"account":{"type":"string"}},"required":["account"],"type":"object"},"name":"list_invoices"}'),
  ('south', 'south-billing', 'send_invoice', 'write', '', 1,
   '1c3c566968731c14c07fd1316123c261da3399b2fa49061036ff50e1b67c1ba1',
   '{"description":"Sends an invoice.","inputSchema":{"additionalProperties":false,"properties":{"account":{"type":"string"},"amount":{"type":"number"}},"required":["account","amount"],"type":"object"},"name":"send_invoice"}');

INSERT INTO tool_labels (tenant, server, tool, label) VALUES
  ('north', 'north-crm', 'find_accounts', 'source.bulk'),
  ('south', 'south-crm', 'find_accounts', 'source.bulk');
