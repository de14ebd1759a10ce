INSERT INTO issuers (tenant, url, jwks_uri)
VALUES ('acme', 'http://127.0.0.1:8080', 'http://127.0.0.1:8080/jwks.json');
