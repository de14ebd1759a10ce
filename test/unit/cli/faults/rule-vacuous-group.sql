INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, group_by, reason) VALUES
  ('acme', 'x', 'deny', 'sink.export', 'temporal', '["source.confidential"]', '["credential"]', 'test');
