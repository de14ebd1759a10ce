-- On a line of its own.
INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, condition, until_label, reason) VALUES
  ('acme', 'x', 'deny', 'sink.export', 'temporal', '["source.confidental"]', 60, NULL, NULL, 'test');
