INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, group_by, reason) VALUES
  ('acme', 'x', 'deny', 'sink.update', 'temporal', '["source.confidential"]', '["target"]', 'test');
