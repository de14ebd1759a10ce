/* a comment; with a semicolon */
INSERT INTO policies (tenant, id, effect, role, client, agent, server, tool, access, label, condition) VALUES
  ('acme', 'x', 'permit', 'sales', NULL, NULL, 'demo', NULL, NULL, NULL, NULL);
