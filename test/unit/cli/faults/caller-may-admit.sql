INSERT INTO pdp_callers (tenant, issuer, client, servers, may_admit) VALUES
  ('acme', '{{issuer}}', 'other-agent', '["shop"]', 1);
