-- Analysts read what is public or internal, and do nothing else. Operators do all of it.

INSERT INTO policies (tenant, id, effect, role, server, tool, access, label, condition, reason) VALUES
  ('example', 'analysts-may-read', 'allow', 'analyst', 'warehouse', NULL, 'read', NULL, NULL,
   'analysts look things up'),
  ('example', 'operators-may-all', 'allow', 'operator', 'warehouse', NULL, NULL, NULL, NULL,
   'operators keep it running'),

  -- The second yes: known software may act for people, and never for itself.
  ('example', 'agents-may-act', 'allow', 'agent', 'warehouse', NULL, NULL, NULL, 'subject.kind == "user"',
   'known software may act for people'),

  -- A deny wins, whatever is allowed later. It is asked about the arguments and again about the
  -- result; what cannot be read there, and what has no row, is `restricted`.
  ('example', 'analysts-see-no-secrets', 'deny', 'analyst', 'warehouse', NULL, NULL, NULL,
   'targets.exists(t, !(t.sensitivity in ["public", "internal"]))', 'nobody classified it for analysts'),
  ('example', 'analysts-write-nothing', 'deny', 'analyst', NULL, NULL, NULL, 'sink.update', NULL,
   'analysts only read'),
  ('example', 'analysts-export-nothing', 'deny', 'analyst', NULL, NULL, NULL, 'sink.export', NULL,
   'analysts only read'),
  ('example', 'analysts-drop-nothing', 'deny', 'analyst', NULL, NULL, NULL, 'sink.destructive', NULL,
   'analysts only read'),
  -- Free SQL names its datasets in a language of its own: no row can bound it.
  ('example', 'analysts-run-nothing', 'deny', 'analyst', NULL, NULL, NULL, 'sink.privileged', NULL,
   'analysts only read'),

  -- A deny that guards its argument: without a limit the server takes its own, which is small.
  ('example', 'no-huge-results', 'deny', NULL, 'warehouse', NULL, 'read', NULL,
   'has(args.limit) && args.limit > 10000', 'results of that size are exports');

INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, title, reason) VALUES
  ('example', 'no-message-after-comments', 'deny', 'sink.external_send', 'temporal', '["source.untrusted"]', 900,
   'No message within a quarter of an hour of reading what strangers wrote', 'untrusted_then_send');
