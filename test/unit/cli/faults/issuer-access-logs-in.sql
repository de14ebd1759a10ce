INSERT INTO issuers (tenant, url, jwks_uri, kind, audience, login_client) VALUES
  ('acme', 'https://team.example', 'https://team.example/certs', 'access', 'aud', 'pages');
