INSERT INTO issuers (tenant, url, jwks_uri, algorithms)
VALUES ('acme', 'https://login.acme.example/', 'https://login.acme.example/jwks.json', '["HS256"]');
