UPDATE issuers SET introspection_secret = NULL WHERE tenant = 'acme';
