INSERT INTO servers (name, tenant, url) VALUES
  ('crm', 'acme', 'https://10.0.0.7/mcp');
