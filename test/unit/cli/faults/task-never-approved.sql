DELETE FROM task_openers WHERE tenant = 'acme';
UPDATE servers SET credential = 'signed', credential_audience = url WHERE name = 'shop';
UPDATE policies SET require_task = 'approved' WHERE tenant = 'acme' AND id = 'sales-may-find';
