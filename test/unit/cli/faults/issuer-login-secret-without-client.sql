UPDATE issuers SET login_client = NULL, login_secret = 'LOGIN_ACME' WHERE tenant = 'acme';
