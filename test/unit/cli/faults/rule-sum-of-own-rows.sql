INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, field, condition, reason) VALUES
  ('acme', 'x', 'deny', 'source.bulk', 'value_sum', '["source.bulk"]', 60, 'result_rows', '{"gt":500}', 'test');
