INSERT INTO sequence_rules (tenant, id, effect, on_label, on_access, type, rules, reason) VALUES
  ('acme', 'x', 'deny', 'source.untrusted', '["admin"]', 'temporal', '["source.confidential"]', 'test');
