-- A migration that forgets the triggers.
CREATE TABLE rebuilt AS SELECT * FROM sequence_rules;
DROP TABLE sequence_rules;
ALTER TABLE rebuilt RENAME TO sequence_rules;
