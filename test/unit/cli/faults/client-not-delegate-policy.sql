UPDATE clients SET acts_for_users = 0 WHERE id = 'inspector';
INSERT INTO policies (tenant, id, effect, role, client, server, condition) VALUES
  ('acme', 'x', 'allow', 'sales', 'inspector', 'shop', 'subject.acr == "phr"');
