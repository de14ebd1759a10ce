INSERT INTO revocations (tenant, kind, id) VALUES
  ('acme', 'proof_key', '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4');
