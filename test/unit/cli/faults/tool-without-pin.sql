INSERT INTO tenants (id) VALUES ('initech');
INSERT INTO servers (name, tenant, url, internal) VALUES ('files', 'initech', 'https://files.example/mcp', 1);
INSERT INTO tools (tenant, server, name, access, labels_reviewed)
VALUES ('initech', 'files', 'read_file', 'read', 1);
