INSERT INTO pdp_callers (tenant, issuer, client, servers) VALUES
  ('acme', '{{issuer}}', 'other-agent', '["shopp"]');
