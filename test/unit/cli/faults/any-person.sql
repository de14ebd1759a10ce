INSERT INTO policies (tenant, id, effect, agent, server, tool) VALUES
  ('acme', 'x', 'allow', 'mail-bot', 'demo', 'send_email');
