INSERT INTO clients (tenant, issuer, id)
VALUES ('acme', '{{issuer}}/', 'desk');
