-- Two yeses for each call: one for the person, one for the software that acts for that person. Each
-- row names a role: one that named only a client or an agent would be a yes for every person, too.

INSERT INTO policies (tenant, id, effect, role, server, tool, access, condition, require_approval, reason) VALUES
  ('example', 'support-may-list', 'allow', 'support', 'help-desk', 'list_tickets', NULL, NULL, 0,
   'numbers and states are for everybody here'),
  ('example', 'support-may-read-own', 'allow', 'support', 'help-desk', NULL, 'read',
   'targets.size() > 0 && targets.all(t, t.owned)', 0, 'support sees what it works on'),
  ('example', 'support-may-tag-own', 'allow', 'support', 'help-desk', 'tag_ticket', NULL,
   'targets.size() > 0 && targets.all(t, t.owned)', 0, 'support sorts what it works on'),
  ('example', 'support-may-answer-own', 'allow', 'support', 'help-desk', 'send_answer', NULL,
   'targets.size() > 0 && targets.all(t, t.owned)', 0, 'support answers what it works on'),
  ('example', 'support-may-refund-little', 'allow', 'support', 'help-desk', 'refund', NULL,
   'has(args.amount) && args.amount > 0.0 && args.amount <= 50.0 && targets.size() > 0 && targets.all(t, t.owned)', 0,
   'small refunds need nobody else'),
  ('example', 'support-may-refund-more', 'allow', 'support', 'help-desk', 'refund', NULL,
   'has(args.amount) && args.amount > 50.0 && args.amount <= 1000.0 && targets.size() > 0 && targets.all(t, t.owned)', 1,
   'another person looks at larger ones'),

  -- Leads see and answer everything that the help desk knows of, and pay nothing without a second person.
  ('example', 'leads-may-list', 'allow', 'lead', 'help-desk', 'list_tickets', NULL, NULL, 0,
   'numbers and states are for everybody here'),
  ('example', 'leads-may-read', 'allow', 'lead', 'help-desk', NULL, 'read',
   'targets.size() > 0 && targets.all(t, t.listed)', 0, 'leads look after all tickets'),
  ('example', 'leads-may-tag', 'allow', 'lead', 'help-desk', 'tag_ticket', NULL,
   'targets.size() > 0 && targets.all(t, t.listed)', 0, 'leads look after all tickets'),
  ('example', 'leads-may-answer', 'allow', 'lead', 'help-desk', 'send_answer', NULL,
   'targets.size() > 0 && targets.all(t, t.listed)', 0, 'leads look after all tickets'),
  ('example', 'leads-may-refund', 'allow', 'lead', 'help-desk', 'refund', NULL,
   'has(args.amount) && args.amount > 0.0 && args.amount <= 1000.0 && targets.size() > 0 && targets.all(t, t.listed)', 1,
   'nobody pays alone for a ticket that is not theirs');

-- The second yes.
INSERT INTO policies (tenant, id, effect, role, server, tool, condition, reason) VALUES
  ('example', 'triage-may-read', 'allow', 'triage', 'help-desk', 'read_ticket',
   'subject.kind == "user"', 'it reads what it sorts'),
  ('example', 'triage-may-list', 'allow', 'triage', 'help-desk', 'list_tickets',
   'subject.kind == "user"', 'it looks for what is not sorted'),
  ('example', 'triage-may-tag', 'allow', 'triage', 'help-desk', 'tag_ticket',
   'subject.kind == "user"', 'it sorts'),
  ('example', 'answering-may-act', 'allow', 'answering', 'help-desk', NULL,
   'subject.kind == "user"', 'within what its person may do'),
  ('example', 'desk-may-act', 'allow', 'desk', 'help-desk', NULL,
   'subject.kind == "user"', 'the client shows each call to the person');

INSERT INTO policies (tenant, id, effect, label, condition, reason) VALUES
  ('example', 'software-pays-nothing', 'deny', 'sink.payment', 'agent.present || subject.kind != "user"',
   'money moves only where a person sits at the client');

INSERT INTO sequence_rules (tenant, id, effect, on_label, type, rules, timespan_s, condition, title, reason) VALUES
  ('example', 'no-secret-in-an-answer', 'deny', 'sink.external_send', 'temporal',
   '["source.untrusted","source.confidential"]', 600, NULL,
   'No answer within ten minutes of reading a ticket and a customer''s file', 'untrusted_confidential_send'),
  ('example', 'five-refunds', 'deny', 'sink.payment', 'event_count', '["sink.payment"]', 3600, '{"gt":5}',
   'At most five refunds in an hour', 'too_many_refunds');
