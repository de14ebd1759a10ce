INSERT INTO issuers (tenant, url, jwks_uri, introspection, introspection_url, introspection_secret)
VALUES ('acme', 'https://login.example.com', 'https://login.example.com/keys', 'jwt', 'https://10.0.0.1/introspect', 'INTROSPECTION_INSIDE');
