INSERT INTO tool_labels (tenant, server, tool, label, condition) VALUES
  ('acme', 'demo', 'echo', 'source.untrusted', 'subject.id == "alice"');
