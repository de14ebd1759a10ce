INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, role, origins, reason) VALUES
  ('acme', 'x', 'approve', 'sink.external_send', 'provenance', '[]', 'target', '["user"]', 'test');
