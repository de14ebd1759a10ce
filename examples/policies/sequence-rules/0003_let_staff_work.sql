-- Single calls: what people may do here, and that the assistant may do it for them.

INSERT INTO policies (tenant, id, effect, role, server, condition, reason) VALUES
  ('meridian', 'staff-may-work', 'allow', 'staff', 'desk', 'subject.kind == "user"',
   'whoever works here works with all of it'),
  ('meridian', 'assistant-may-help', 'allow', 'assistant', 'desk', 'subject.kind == "user"',
   'it does what the person may do');
