INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, condition, until_label, reason) VALUES
  ('acme', 'x', 'deny', 'sink.destructive', 'event_count', '["sink.destructive"]', 60, '{"gt":1000}', NULL, 'test');
