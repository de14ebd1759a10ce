INSERT INTO tools (tenant, server, name, access)
VALUES ('acme', 'demo', 'new_tool', 'read');
