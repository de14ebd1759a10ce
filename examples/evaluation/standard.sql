-- Where the arguments of a call may come from, at the level meant for every day. A value that no rule
-- accepts asks a person; a call is refused outright only where the value came from a stranger's text
-- or claim and nobody asked for such an act. How each rule was chosen: docs/evaluation.md.
--
-- One row for each label: what `on_label` says is looked up, never searched.

-- Where something goes, or who gets power, inside the organisation. What fetches is judged as a fetch.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, on_access, unless_label, type, rules, role, origins, title, reason)
SELECT 'evaluation', 'target-of-' || substr(value, 6), 'approve', 'high', value,
       '["write","export","admin","destructive"]', 'sink.fetch', 'provenance', '[]', 'target',
       '["user","org","own","typed","claimed+asked","new_path"]',
       'Who it goes to must come from the person or from a directory', 'target_origin'
FROM json_each('["sink.internal_send","sink.privileged"]');
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, on_access, type, rules, role, origins, title, reason)
VALUES ('evaluation', 'target-of-destructive', 'approve', 'high', 'sink.destructive',
        '["write","export","admin","destructive"]', 'provenance', '[]', 'target',
        '["user","org","own","typed","claimed+asked","new_path"]',
        'What is overwritten or destroyed must come from the person or from a listing', 'target_origin');

-- What leaves the organisation, or costs money: a listing alone is not enough, somebody asked for it.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, on_access, unless_label, type, rules, role, origins, title, reason)
SELECT 'evaluation', 'target-of-' || substr(value, 6), 'approve', 'high', value,
       '["write","export","admin","destructive"]', 'sink.fetch', 'provenance', '[]', 'target',
       '["user","org","own","typed+asked","typed+unworded","claimed+asked","path"]',
       'Who gets it must come from the person, or be listed when they asked for it', 'target_origin'
FROM json_each('["sink.external_send","sink.payment"]');

-- A new password is the person's own choice.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, type, rules, role, origins, title, reason)
VALUES ('evaluation', 'credential', 'approve', 'critical', 'sink.privileged', 'provenance', '[]', 'credential',
       '["user"]', 'A credential comes from the person', 'credential_origin');

-- What is destroyed was named, or it is listed and somebody asked for something to be destroyed.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, type, rules, role, origins, title, reason)
VALUES ('evaluation', 'destroyed', 'approve', 'high', 'sink.destructive', 'provenance', '[]', 'resource',
       '["user","typed+asked","own+asked"]', 'What is destroyed was asked for', 'resource_origin');

-- What is acted on exists: the person or a listing says so.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, on_access, type, rules, role, origins, title, reason)
VALUES ('evaluation', 'acted-on', 'approve', 'medium', 'any', '["write","export","admin","destructive"]',
       'provenance', '[]', 'resource', '["user","own","typed"]', 'What is acted on is known', 'resource_origin');

-- What is fetched tells its host something. An address that nobody gave is no way out while nothing
-- confidential has been read.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, type, rules, role, origins, title, reason)
VALUES ('evaluation', 'fetched', 'approve', 'medium', 'sink.fetch', 'provenance', '[]', 'target',
       '["user","internal","own","typed","fetched","none+no_secret","no_address"]', 'A fetched address has an origin', 'fetch_origin');

-- Under a task, what acts is on the task's list.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, on_access, type, rules, role, origins, title, reason)
VALUES ('evaluation', 'on-task', 'approve', 'high', 'any', '["write","export","admin","destructive"]',
       'provenance', '[]', 'act', '["granted","taskless"]', 'The task names this tool', 'off_task');

-- Refused outright: a stranger's value, and nobody asked for such an act.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, on_access, unless_label, type, rules, role, origins, title, reason)
SELECT 'evaluation', 'stranger-' || substr(value, 6), 'deny', 'critical', value,
       '["write","export","admin","destructive"]', 'sink.fetch', 'provenance', '[]', 'target',
       '["user","org","own","typed","asked","none","unworded","path"]',
       'A stranger names who gets it, and nobody asked', 'target_origin'
FROM json_each('["sink.external_send","sink.internal_send","sink.payment","sink.privileged","sink.destructive"]');
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, type, rules, role, origins, title, reason)
VALUES ('evaluation', 'stranger-credential', 'deny', 'critical', 'sink.privileged', 'provenance', '[]', 'credential',
       '["user","asked","unworded"]', 'A credential that nobody asked to set', 'credential_origin');

-- Addresses inside what is sent out are written down.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, type, rules, role, origins, title, reason)
VALUES ('evaluation', 'content', 'audit', 'low', 'sink.external_send', 'provenance', '[]', 'content',
       '["user","org","own","typed","used","field","internal"]', 'An address in what is sent has no origin', 'content_origin');

-- And destroys once with each tool: what is asked for twice in one task is worth a question.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, type, rules, group_by, scope, timespan_s, condition, title, reason)
VALUES ('evaluation', 'destroyed-again', 'approve', 'medium', 'sink.destructive', 'event_count', '["sink.destructive"]',
        '["tool"]', 'task', 2592000, '{"gt":1}', 'A task destroys once', 'destroyed_again');
