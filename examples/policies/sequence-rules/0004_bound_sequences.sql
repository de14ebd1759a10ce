-- What may not follow what: fourteen rules, one for each question that single calls cannot answer.

-- What was seen before.
INSERT INTO sequence_rules (tenant, id, level, effect, on_label, on_where, type, rules, timespan_s, until_label, title, reason) VALUES
  ('meridian', 'R01', 'high', 'deny', 'sink.external_send', '{"target":{"not_suffix":"@meridian.example"}}',
   'temporal', '["source.untrusted","source.confidential"]', NULL, NULL,
   'No mail to outsiders once strangers'' text and confidential data have met', 'trifecta'),
  ('meridian', 'R09', 'critical', 'deny', 'sink.external_send', NULL,
   'temporal_ordered', '["recon.list_all","source.bulk_download"]', 1800, NULL,
   'No mail within half an hour of listing everything and then downloading it', 'exfil_sequence'),
  ('meridian', 'R10', 'critical', 'deny', 'sink.command', NULL,
   'temporal', '["source.untrusted"]', NULL, 'endorse.human',
   'No command after a stranger''s text, until a person has looked at it', 'low_water_mark');

-- How much.
INSERT INTO sequence_rules (tenant, id, level, effect, on_label, type, rules, scope, timespan_s, field, condition, title, reason) VALUES
  ('meridian', 'R02', 'high', 'deny', 'sink.export', 'value_sum', '["source.confidential"]', 'subject', 1800,
   'result_rows', '{"gte":500}', 'No export within half an hour of reading 500 confidential rows', 'broad_read_then_export'),
  ('meridian', 'R04', 'medium', 'deny', 'sink.destructive', 'event_count', '["sink.destructive"]', 'subject', 600,
   NULL, '{"gt":10}', 'At most ten deletions in ten minutes', 'delete_rate'),
  ('meridian', 'R08', 'high', 'deny', 'source.tenant_data', 'value_count', '["source.tenant_data"]', 'subject', 86400,
   'account', '{"gte":2}', 'One customer''s account in a day, and no other', 'chinese_wall'),
  ('meridian', 'R11', 'medium', 'approve', 'sink.external_send', 'value_count', '["sink.external_send"]', 'subject', 3600,
   'target', '{"gt":5}', 'More than five recipients in an hour', 'recipient_fanout'),
  ('meridian', 'R12', 'high', 'approve', 'sink.money', 'value_sum', '["sink.money"]', 'subject', 86400,
   'amount', '{"gt":1000}', 'More than 1,000 in a day', 'spend_cap'),
  ('meridian', 'R14', 'high', 'deny', 'any', 'event_count', '["decision.denied"]', 'actor', 300,
   NULL, '{"gte":5}', 'Nothing at all after five denials in five minutes', 'probing');

-- What has to be there.
INSERT INTO sequence_rules (tenant, id, level, effect, on_label, type, rules, group_by, timespan_s, title, reason) VALUES
  ('meridian', 'R03', 'high', 'approve', 'sink.privileged', 'absence', '["approval.granted"]', '["tool"]', 900,
   'A person has approved this tool in the last quarter of an hour', 'approval_missing'),
  ('meridian', 'R05', 'medium', 'deny', 'sink.order', 'absence', '["source.read"]', '["resource"]', NULL,
   'Who changes an order has read it', 'blind_write'),
  ('meridian', 'R13', 'medium', 'deny', 'sink.deploy', 'absence', '["dryrun.ok"]', '["resource"]', 600,
   'A service is released within ten minutes of a try that went well', 'no_dry_run');

-- Where a value comes from.
INSERT INTO sequence_rules (tenant, id, level, effect, on_label, type, rules, role, origins, title, reason) VALUES
  ('meridian', 'R06', 'high', 'approve', 'sink.side_effect', 'provenance', '[]', 'target',
   '["user","org","typed","own"]', 'Whoever gets something was named by the person, or by our own records', 'target_origin'),
  ('meridian', 'R07', 'medium', 'deny', 'sink.fetch', 'provenance', '[]', 'target',
   '["user","internal","typed","own"]', 'No address that nobody here has written', 'url_origin');
