INSERT INTO servers (name, tenant, url, credential, exchange_issuer, exchange_secret)
VALUES ('vault', 'acme', 'https://vault.example.com/mcp', 'exchange', 'https://nobody.example.com', 'EXCHANGE_VAULT');
