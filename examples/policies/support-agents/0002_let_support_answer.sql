-- Two yeses for each call: one for the person, one for the software that acts for that person. Each
-- row names a role: one that named only a client or an agent would be a yes for every person, too.

INSERT INTO policies (tenant, id, effect, role, server, tool, access, condition, reason) VALUES
  ('example', 'support-may-read', 'allow', 'support', 'help-desk', NULL, 'read', NULL, 'support looks things up'),
  ('example', 'support-may-tag', 'allow', 'support', 'help-desk', 'tag_ticket', NULL, NULL, 'support sorts tickets'),
  ('example', 'support-may-answer', 'allow', 'support', 'help-desk', 'send_answer', NULL, NULL, 'support answers'),
  ('example', 'support-may-refund-little', 'allow', 'support', 'help-desk', 'refund', NULL,
   'has(args.amount) && args.amount > 0.0 && args.amount <= 50.0', 'small refunds need nobody else'),
  ('example', 'leads-may-refund', 'allow', 'lead', 'help-desk', 'refund', NULL,
   'has(args.amount) && args.amount > 0.0 && args.amount <= 1000.0', 'leads refund more'),

  ('example', 'triage-may-sort', 'allow', 'triage', 'help-desk', '*_ticket', NULL,
   'subject.kind == "user"', 'it reads and tags what it sorts'),
  ('example', 'answering-may-act', 'allow', 'answering', 'help-desk', NULL, NULL,
   'subject.kind == "user"', 'within what its person may do'),
  ('example', 'desk-may-act', 'allow', 'desk', 'help-desk', NULL, NULL,
   'subject.kind == "user"', 'the client shows each call to the person');

INSERT INTO policies (tenant, id, effect, label, condition, reason) VALUES
  ('example', 'agents-refund-nothing', 'deny', 'sink.payment', 'agent.present',
   'money moves only where a person sits at the client');

INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, condition, title, reason) VALUES
  ('example', 'no-secret-in-an-answer', 'deny', 'sink.external_send', 'temporal',
   '["source.untrusted","source.confidential"]', 600, NULL,
   'No answer within ten minutes of reading a ticket and a customer''s file', 'untrusted_confidential_send'),
  ('example', 'five-refunds', 'deny', 'sink.payment', 'event_count', '["sink.payment"]', 3600, '{"gt":5}',
   'At most five refunds in an hour', 'too_many_refunds');
