INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, field, condition, reason) VALUES
  ('acme', 'x', 'approve', 'sink.external_send', 'value_count', '["sink.external_send"]', 60, 'target', '{"gt":5}', 'test');
