-- The standard rules with less trust in results: a listing counts only where no part of it could have
-- been a stranger's, a fetched address is always somebody's, and an address in what is sent out asks.
-- Applied after standard.sql.
UPDATE sequence_rules
SET origins = '["user","org","own","typed_t","new_path"]'
WHERE tenant = 'evaluation' AND id IN ('target-of-internal_send', 'target-of-privileged', 'target-of-destructive');

UPDATE sequence_rules
SET origins = '["user","org","own","typed_t+asked","typed_t+unworded","path"]'
WHERE tenant = 'evaluation' AND id IN ('target-of-external_send', 'target-of-payment');

UPDATE sequence_rules
SET origins = '["user","internal","own","typed","fetched","no_address"]'
WHERE tenant = 'evaluation' AND id = 'fetched';

UPDATE sequence_rules SET effect = 'approve' WHERE tenant = 'evaluation' AND id = 'content';
