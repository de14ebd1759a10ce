INSERT INTO policies (tenant, id, effect, role, server, tool, condition, reason)
VALUES ('acme', 'support-in-a-task', 'allow', 'support', 'demo', 'delete_customer', 'task.approved', 'only within a task');
