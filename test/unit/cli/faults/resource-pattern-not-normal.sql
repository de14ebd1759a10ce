INSERT INTO resources (tenant, type, id, pattern) VALUES
  ('acme', 'email', '*@Globex.example', 1);
