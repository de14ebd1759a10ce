-- Which argument names a dataset, which part of a result does, and how sensitive each dataset is.

-- `lower`: the warehouse takes `HR.Salaries` and `hr.salaries` for the same.
INSERT INTO resource_types (tenant, name, form) VALUES ('example', 'dataset', 'lower');

INSERT INTO tool_arguments (tenant, server, tool, pointer, role, resource_type) VALUES
  ('example', 'warehouse', 'read_dataset',   '/dataset', 'target', 'dataset'),
  ('example', 'warehouse', 'read_comments',  '/dataset', 'target', 'dataset'),
  ('example', 'warehouse', 'export_dataset', '/dataset', 'target', 'dataset'),
  ('example', 'warehouse', 'drop_dataset',   '/dataset', 'target', 'dataset');

-- A search names no dataset beforehand; its rows do.
INSERT INTO tool_results (tenant, server, tool, pointer, resource_type) VALUES
  ('example', 'warehouse', 'search', '/rows/*/dataset', 'dataset');

-- A dataset without a row is `restricted`. The exact row wins over the pattern.
INSERT INTO resources (tenant, type, id, pattern, sensitivity) VALUES
  ('example', 'dataset', 'web.visits',   0, 'public'),
  ('example', 'dataset', 'sales.*',      1, 'internal'),
  ('example', 'dataset', 'sales.margin', 0, 'confidential'),
  ('example', 'dataset', 'hr.*',         1, 'restricted');
