INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, role, origins, reason) VALUES
  ('acme', 'x', 'deny', 'sink.destructive', 'provenance', '[]', 'target', '["usr"]', 'test');
