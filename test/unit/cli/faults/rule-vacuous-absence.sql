INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, reason) VALUES
  ('acme', 'x', 'approve', 'sink.destructive', 'absence', '["sink.privileged"]', 'test');
