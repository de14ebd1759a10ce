INSERT INTO policies (tenant, id, effect, role, server, access, require_acr) VALUES
  ('acme', 'x', 'allow', 'sales', 'demo', 'export', 'mfa');
