INSERT INTO tenants (id) VALUES ('globex');
INSERT INTO issuers (tenant, url, jwks_uri, tenant_claim)
  SELECT 'globex', url, jwks_uri, tenant_claim FROM issuers WHERE tenant = 'acme';
INSERT INTO signal_streams (id, tenant, issuer, audience, max_silence_s, on_silence, raised_acr, tenant_name) VALUES
  ('a', 'acme', (SELECT url FROM issuers WHERE tenant = 'acme'), 'us', 3600, 'deny', 'phr', 'acme'),
  ('b', 'globex', (SELECT url FROM issuers WHERE tenant = 'acme'), 'us', 3600, 'deny', 'phr', 'globex');
