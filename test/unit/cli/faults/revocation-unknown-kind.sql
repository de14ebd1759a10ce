INSERT INTO revocations (tenant, kind, id) VALUES ('acme', 'key', 'k1');
