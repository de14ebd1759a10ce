INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES
  ('acme', 'x', 'deny', 'sink.export', 'temporal_ordered', '["source.untrusted","sink.privileged"]', 'test');
