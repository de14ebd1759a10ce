INSERT INTO policies (tenant, id, effect, mode, agent, label) VALUES
  ('acme', 'x', 'deny', 'shadow', 'research-bot', 'sink.external_send');
