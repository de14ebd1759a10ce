INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES
  ('acme', 'x', 'deny', 'sink.external_send', 'temporal', '["sink.external_send"]', 'test');
