-- A server of the demo's tenant whose tools are pinned. Nothing is wrong with it.
INSERT INTO servers (name, tenant, url, internal, consent_required)
VALUES ('shop', 'acme', 'https://shop.example/mcp', 1, 1);

INSERT INTO tools (tenant, server, name, access, labels_reviewed, definition_hash, definition) VALUES
  ('acme', 'shop', 'refund', 'write', 1,
   '40bd49ef783d302a494be62224001166f32529fea9a9e4743cbda788bfc314c3',
   '{"description":"Pays an order back.","inputSchema":{"additionalProperties":false,"properties":{"amount":{"type":"number"},"count":{"type":"integer"},"currency":{"enum":["EUR","USD"]},"mode":{"anyOf":[{"type":"string"},{"type":"integer"}]},"note":{"type":"string"},"order":{"type":"string"}},"required":["order","amount","currency","mode"],"type":"object"},"name":"refund"}'),
  ('acme', 'shop', 'find_orders', 'read', 1,
   '14f0adfb680e5c9b29e155b3a101728e3792c0d7c400ac91ff05c4faf0abb2bb',
   '{"description":"Finds orders.","inputSchema":{"properties":{"email":{"type":"string"},"filter":{"properties":{"state":{"type":"string"}},"type":"object"}},"type":"object"},"name":"find_orders","outputSchema":{"additionalProperties":false,"properties":{"orders":{"items":{"additionalProperties":false,"properties":{"class":{"type":"string"},"id":{"type":"string"}},"required":["id","class"],"type":"object"},"type":"array"}},"required":["orders"],"type":"object"}}');

INSERT INTO resource_types (tenant, name, form) VALUES ('acme', 'order', 'exact'), ('acme', 'email', 'email');

INSERT INTO tool_arguments (tenant, server, tool, pointer, resource_type, optional, unlisted) VALUES
  ('acme', 'shop', 'refund', '/order', 'order', 0, 'internal'),
  ('acme', 'shop', 'find_orders', '/email', 'email', 1, 'internal');

INSERT INTO tool_results (tenant, server, tool, pointer, resource_type, unlisted) VALUES
  ('acme', 'shop', 'find_orders', '/orders/*/id', 'order', 'internal'),
  ('acme', 'shop', 'find_orders', '/orders/*/class', NULL, 'internal');

INSERT INTO resources (tenant, type, id, pattern, owner, owner_issuer, sensitivity, labels) VALUES
  ('acme', 'order', '17', 0, 'alice', '{{issuer}}', 'internal', '["source.confidential"]'),
  ('acme', 'email', '*@acme.example', 1, NULL, NULL, 'internal', '[]');

INSERT INTO policies (tenant, id, effect, role, server, tool, condition) VALUES
  ('acme', 'sales-may-refund', 'allow', 'sales', 'shop', 'refund',
   'args.amount <= 50.0 && args.currency == "EUR" && targets.all(t, t.owned) && (!has(args.note) || args.note != "")');
INSERT INTO policies (tenant, id, effect, role, server, tool, condition) VALUES
  ('acme', 'sales-may-find', 'allow', 'sales', 'shop', 'find_orders',
   'has(args.filter) && has(args.filter.state) && args.filter.state == "open" && args.filter.state != ""');

INSERT INTO policies (tenant, id, effect, role, server, condition) VALUES
  ('acme', 'agents-may-shop', 'allow', 'agent', 'shop', 'subject.kind == "user"');

INSERT INTO consents (tenant, id, issuer, subject, client, server, access)
VALUES ('acme', 'c1', '{{issuer}}', 'alice', 'acme-agent', 'shop', 'write');
INSERT INTO tasks (tenant, id, issuer, subject, client, purpose, tools, access, opened_by, expires_at)
VALUES ('acme', 't1', '{{issuer}}', 'alice', 'acme-agent', 'orders', '["shop/*", "demo/get_*"]', '["read", "write"]', 'alice', 4102444800000);
INSERT INTO pdp_callers (tenant, issuer, client, servers) VALUES ('acme', '{{issuer}}', 'acme-agent', '["shop"]');
