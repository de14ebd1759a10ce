INSERT INTO sequence_rules (tenant, id, effect, on_label, unless_label, type, rules, reason) VALUES
  ('acme', 'x', 'deny', 'source.bulk', 'source.confidential', 'temporal', '["source.untrusted"]', 'test');
