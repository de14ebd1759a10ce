INSERT INTO tool_labels (tenant, server, tool, label, condition) VALUES
  ('acme', 'shop', 'refund', 'sink.payment', 'args.note.startsWith("pay")');
