

INSERT INTO role_assignments (tenant, issuer, holder_kind, holder, role)
VALUES ('acme', '{{issuer}}', 'user', 'bob', '*');
