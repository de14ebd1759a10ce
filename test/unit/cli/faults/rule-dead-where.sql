INSERT INTO sequence_rules (tenant, id, effect, on_label, on_where, type, rules, reason) VALUES
  ('acme', 'x', 'deny', 'sink.external_send', '{"target":{"not_suffix":"@acme.example"}}', 'temporal', '["source.untrusted"]', 'test');
