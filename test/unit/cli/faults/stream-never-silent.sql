INSERT INTO signal_streams (id, tenant, issuer, audience, raised_acr) VALUES
  ('idp', 'acme', (SELECT url FROM issuers WHERE tenant = 'acme'), 'us', 'phr');
