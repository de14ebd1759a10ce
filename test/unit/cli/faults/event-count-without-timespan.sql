INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, condition, until_label, reason) VALUES
  ('acme', 'x', 'deny', 'sink.export', 'event_count', '["sink.export"]', NULL, '{"gt":1}', NULL, 'test');
