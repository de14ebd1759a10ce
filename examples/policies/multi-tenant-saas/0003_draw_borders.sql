-- Which account is whose. Tenants that send to the same upstream see each other's rows as what they
-- are: another's, and out of reach whatever a policy says.

INSERT INTO resource_types (tenant, name, form) VALUES
  ('north', 'account', 'exact'),
  ('south', 'account', 'exact');

INSERT INTO tool_arguments (tenant, server, tool, pointer, role, resource_type) VALUES
  ('north', 'north-crm', 'get_account',     '/account',    'target', 'account'),
  ('north', 'north-crm', 'update_account',  '/account',    'target', 'account'),
  ('north', 'north-crm', 'export_accounts', '/accounts/*', 'target', 'account'),
  ('south', 'south-crm', 'get_account',     '/account',    'target', 'account'),
  ('south', 'south-crm', 'update_account',  '/account',    'target', 'account'),
  ('south', 'south-crm', 'export_accounts', '/accounts/*', 'target', 'account'),
  ('south', 'south-billing', 'list_invoices', '/account', 'target', 'account'),
  ('south', 'south-billing', 'send_invoice',  '/account', 'target', 'account');

INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES
  ('north', 'north-crm', 'find_accounts', '/accounts/*/id', 'account'),
  ('south', 'south-crm', 'find_accounts', '/accounts/*/id', 'account');

INSERT INTO resources (tenant, type, id, pattern, sensitivity) VALUES
  ('north', 'account', 'N-*', 1, 'internal'),
  ('south', 'account', 'S-*', 1, 'internal');
