-- A reservation is changed only by who has read it in this session.
INSERT INTO sequence_rules (tenant, id, effect, level, on_label, type, rules, group_by, title, reason)
VALUES ('evaluation', 'read-before-write', 'deny', 'medium', 'sink.modify', 'absence', '["source.record"]',
        '["reservation"]', 'Read before write', 'blind_write');
