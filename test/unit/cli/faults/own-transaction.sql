BEGIN TRANSACTION;
UPDATE tenants SET name = 'Acme Inc.';
