-- The second statement is refused.
UPDATE tenants SET name = 'Acme' WHERE id = 'acme';

INSERT INTO policies (tenant, id, efect) VALUES ('acme', 'x', 'allow');
