INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES
  ('acme', 'one', 'deny', 'sink.external_send', 'absence', '["sink.export"]', 'test'),
  ('acme', 'other', 'deny', 'sink.export', 'absence', '["sink.external_send"]', 'test');
