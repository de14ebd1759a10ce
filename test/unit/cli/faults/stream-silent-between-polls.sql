INSERT INTO signal_streams (tenant_name, id, tenant, issuer, audience, delivery, poll_url, secret, poll_every_s, max_silence_s, on_silence, raised_acr) VALUES
  ('acme', 'idp', 'acme', (SELECT url FROM issuers WHERE tenant = 'acme'), 'us', 'poll', 'https://idp.example.com/poll', 'SIGNALS_IDP', 60, 60, 'deny', 'phr');
