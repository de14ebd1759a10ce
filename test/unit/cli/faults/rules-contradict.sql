INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES
  ('acme', 'after', 'deny', 'sink.external_send', 'temporal', '["source.untrusted"]', 'test'),
  ('acme', 'before', 'deny', 'sink.external_send', 'absence', '["source.untrusted"]', 'test');
