INSERT INTO tools (tenant, server, name, access, labels_reviewed)
VALUES ('acme', 'demo', '*', 'read', 1);
