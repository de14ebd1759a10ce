-- The tools as they were when somebody looked at them; a tool that changes is denied until it is
-- pinned again. `npm run -s policy -- import` prints such rows for your own server.

INSERT INTO tools (tenant, server, name, access, required_scope, labels_reviewed, definition_hash, definition) VALUES
  ('example', 'warehouse', 'list_datasets', 'read', '', 1,
   '8779490c45459f04b0676a94faf0d7398b1837d4e51cc16ef0f79598cd61cef4',
   '{"description":"Names of all datasets.","inputSchema":{"additionalProperties":false,"properties":{},"required":[],"type":"object"},"name":"list_datasets"}'),
  ('example', 'warehouse', 'read_dataset', 'read', '', 1,
   '6c5dca0df76cd87ea40fd56b48c83df5bb79c7efa8f54accba08082ee90065d7',
   '{"description":"Rows of one dataset.","inputSchema":{"additionalProperties":false,"properties":{"dataset":{"type":"string"},"limit":{"minimum":1,"type":"integer"}},"required":["dataset"],"type":"object"},"name":"read_dataset"}'),
  ('example', 'warehouse', 'search', 'read', '', 1,
   '706ddeac5f042379795bbd18e0cd8fa46b56d225c6f7d5a5a19ceab9edba8171',
   '{"description":"Rows of all datasets that hold a text.","inputSchema":{"additionalProperties":false,"properties":{"limit":{"minimum":1,"type":"integer"},"text":{"type":"string"}},"required":["text"],"type":"object"},"name":"search","outputSchema":{"additionalProperties":false,"properties":{"rows":{"items":{"additionalProperties":false,"properties":{"dataset":{"type":"string"},"row":{"type":"object"}},"required":["dataset","row"],"type":"object"},"type":"array"}},"required":["rows"],"type":"object"}}'),
  ('example', 'warehouse', 'read_comments', 'read', '', 1,
   'dc35195227ee73b3d372e1c1a6d10ff5435b5032fa8e1eee87c9e53e4e348ec3',
   '{"description":"What visitors wrote.","inputSchema":{"additionalProperties":false,"properties":{"dataset":{"type":"string"}},"required":["dataset"],"type":"object"},"name":"read_comments"}'),
  ('example', 'warehouse', 'post_message', 'write', '', 1,
   'e4e4839f2407f856ea33e888e5edf7bc453b31ff47ba31fee4e36e3e9dcdd533',
   '{"description":"Sends a message to a channel.","inputSchema":{"additionalProperties":false,"properties":{"channel":{"type":"string"},"text":{"type":"string"}},"required":["channel","text"],"type":"object"},"name":"post_message"}'),
  ('example', 'warehouse', 'export_dataset', 'export', '', 1,
   '41c0fca5736a68a4df8c13c9bd4f3df906eeaf5073336ca9172f9bacdacab76a',
   '{"description":"A dataset as a file.","inputSchema":{"additionalProperties":false,"properties":{"dataset":{"type":"string"}},"required":["dataset"],"type":"object"},"name":"export_dataset"}'),
  ('example', 'warehouse', 'drop_dataset', 'destructive', '', 1,
   'f85a94b7a4c55d1817786dec79264f517aee9e47cfcb5583282ea15a52b30c97',
   '{"description":"Removes a dataset.","inputSchema":{"additionalProperties":false,"properties":{"dataset":{"type":"string"}},"required":["dataset"],"type":"object"},"name":"drop_dataset"}'),
  ('example', 'warehouse', 'run_sql', 'admin', '', 1,
   '7c766dbe8e74101b23d4869e310ce887a9fd11ddb25a3e59210d98cd4e872f74',
   '{"description":"Runs any statement.","inputSchema":{"additionalProperties":false,"properties":{"sql":{"type":"string"}},"required":["sql"],"type":"object"},"name":"run_sql"}');

-- Comments are written by strangers; a message leaves the house.
INSERT INTO tool_labels (tenant, server, tool, label) VALUES
  ('example', 'warehouse', 'read_dataset',  'source.confidential'),
  ('example', 'warehouse', 'search',        'source.confidential'),
  ('example', 'warehouse', 'read_comments', 'source.untrusted'),
  ('example', 'warehouse', 'post_message',  'sink.external_send');
