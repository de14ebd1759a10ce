INSERT INTO subject_aliases (tenant, issuer, format, value, subject) VALUES
  ('acme', (SELECT url FROM issuers WHERE tenant = 'acme'), 'email', 'alice@corp.example', 'alice');
