INSERT INTO policies (tenant, id, effect, role, server, tool, require_task, reason)
VALUES ('acme', 'support-in-a-task', 'allow', 'support', 'demo', 'delete_customer', 'any', 'only within a task');
