INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES
  ('acme', 'reviewed', 'deny', 'sink.external_send', 'absence', '["sink.external_send"]', 'test');
