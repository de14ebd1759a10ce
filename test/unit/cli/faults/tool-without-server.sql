INSERT INTO tools (tenant, server, name, access)
VALUES ('acme', 'nowhere', 'x', 'read');
