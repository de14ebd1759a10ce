INSERT INTO signal_streams (tenant_name, id, tenant, issuer, audience, raised_acr) VALUES
  ('acme', 'idp', 'acme', (SELECT url FROM issuers WHERE tenant = 'acme'), 'us', 'phr');
