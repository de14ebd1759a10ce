-- Analysts read, and do nothing else. Operators also post, export and drop.

INSERT INTO policies (tenant, id, effect, role, server, tool, access, label, condition, reason) VALUES
  ('example', 'analysts-may-read', 'allow', 'analyst', 'warehouse', NULL, 'read', NULL, NULL,
   'analysts look things up'),
  ('example', 'operators-may-all', 'allow', 'operator', 'warehouse', NULL, NULL, NULL, NULL,
   'operators keep it running'),

  -- The second yes: known software may act for people, and never for itself.
  ('example', 'agents-may-act', 'allow', 'agent', 'warehouse', NULL, NULL, NULL, 'subject.kind == "user"',
   'known software may act for people'),

  -- A deny wins, whatever is allowed later: whoever is an analyst changes nothing.
  ('example', 'analysts-write-nothing', 'deny', 'analyst', NULL, NULL, NULL, 'sink.update', NULL,
   'analysts only read'),
  ('example', 'analysts-export-nothing', 'deny', 'analyst', NULL, NULL, NULL, 'sink.export', NULL,
   'analysts only read'),
  ('example', 'analysts-drop-nothing', 'deny', 'analyst', NULL, NULL, NULL, 'sink.destructive', NULL,
   'analysts only read'),

  -- A deny that guards its arguments: without a limit the server takes its own, which is small.
  ('example', 'no-huge-results', 'deny', NULL, 'warehouse', 'run_query', NULL, NULL,
   'has(args.limit) && args.limit > 10000', 'results of that size are exports');

INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, title, reason) VALUES
  ('example', 'no-message-after-comments', 'deny', 'sink.external_send', 'temporal', '["source.untrusted"]', 900,
   'No message within a quarter of an hour of reading what strangers wrote', 'untrusted_then_send');
