CREATE TRIGGER policies_note AFTER INSERT ON policies BEGIN
  SELECT CASE WHEN NEW.id = 'a;b' THEN 1 END;
  SELECT 1;
END;
DROP TRIGGER revision_policies_update;
