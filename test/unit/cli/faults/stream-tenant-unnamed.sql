INSERT INTO signal_streams (id, tenant, issuer, audience, max_silence_s, on_silence, raised_acr) VALUES
  ('idp', 'acme', (SELECT url FROM issuers WHERE tenant = 'acme'), 'us', 3600, 'deny', 'phr');
