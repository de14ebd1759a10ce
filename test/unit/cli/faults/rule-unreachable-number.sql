INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, condition, reason) VALUES
  ('acme', 'x', 'deny', 'sink.update', 'event_count', '["sink.update"]', 60, '{"gt":5,"lt":6}', 'test');
