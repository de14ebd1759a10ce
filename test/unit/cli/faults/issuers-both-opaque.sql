INSERT INTO issuers (tenant, url, jwks_uri, introspection, introspection_url, introspection_secret)
VALUES ('acme', 'https://login.example.com', 'https://login.example.com/keys', 'opaque', 'https://login.example.com/introspect', 'INTROSPECTION_OTHER');
