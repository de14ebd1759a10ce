-- Every table that Sallyport compiles and keeps moves its tenant's revision on when a row changes, so
-- that hand-written SQL is enough to be felt by the next call. A migration that rebuilds one of these
-- tables drops its triggers and must create them again: every decision counts them, and a wrong count
-- is a 503 that names the table.

CREATE TRIGGER revision_issuers_insert AFTER INSERT ON issuers BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_issuers_update AFTER UPDATE ON issuers BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_issuers_delete AFTER DELETE ON issuers BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER revision_servers_insert AFTER INSERT ON servers BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_servers_update AFTER UPDATE ON servers BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_servers_delete AFTER DELETE ON servers BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER revision_tools_insert AFTER INSERT ON tools BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_tools_update AFTER UPDATE ON tools BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_tools_delete AFTER DELETE ON tools BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER revision_tool_labels_insert AFTER INSERT ON tool_labels BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_tool_labels_update AFTER UPDATE ON tool_labels BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_tool_labels_delete AFTER DELETE ON tool_labels BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER revision_policies_insert AFTER INSERT ON policies BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_policies_update AFTER UPDATE ON policies BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_policies_delete AFTER DELETE ON policies BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER revision_sequence_rules_insert AFTER INSERT ON sequence_rules BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_sequence_rules_update AFTER UPDATE ON sequence_rules BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_sequence_rules_delete AFTER DELETE ON sequence_rules BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;
