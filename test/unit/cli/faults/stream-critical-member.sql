INSERT INTO signal_streams (tenant_name, id, tenant, issuer, audience, max_silence_s, on_silence, raised_acr, critical_members) VALUES
  ('acme', 'idp', 'acme', (SELECT url FROM issuers WHERE tenant = 'acme'), 'us', 3600, 'deny', 'phr', '["org_unit"]');
