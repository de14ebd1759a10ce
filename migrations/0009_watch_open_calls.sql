-- Rows that are read afresh at every call move no revision. What is still open (a call that waits for its
-- upstream, a stream) is asked about again when they change, and this counter says that they have. It is
-- moved by triggers, so that hand-written SQL is enough; a migration that rebuilds one of these tables
-- drops them and must create them again. Until it does, everything that is open is asked about at each
-- look (src/durable-objects/change-watch.ts), which is slow and safe.

ALTER TABLE revision ADD COLUMN fresh_counter INTEGER NOT NULL DEFAULT 0;
ALTER TABLE revision ADD COLUMN fresh_nonce TEXT NOT NULL DEFAULT '';

CREATE TRIGGER watched_tenants_update AFTER UPDATE ON tenants BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.id, NEW.id);
END;

CREATE TRIGGER watched_clients_insert AFTER INSERT ON clients BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_clients_update AFTER UPDATE ON clients BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER watched_clients_delete AFTER DELETE ON clients BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER watched_agents_insert AFTER INSERT ON agents BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_agents_update AFTER UPDATE ON agents BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER watched_agents_delete AFTER DELETE ON agents BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER watched_role_assignments_insert AFTER INSERT ON role_assignments BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_role_assignments_update AFTER UPDATE ON role_assignments BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER watched_role_assignments_delete AFTER DELETE ON role_assignments BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER watched_resources_insert AFTER INSERT ON resources BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_resources_update AFTER UPDATE ON resources BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER watched_resources_delete AFTER DELETE ON resources BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER watched_consents_insert AFTER INSERT ON consents BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_consents_update AFTER UPDATE ON consents BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER watched_consents_delete AFTER DELETE ON consents BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER watched_tasks_insert AFTER INSERT ON tasks BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_tasks_update AFTER UPDATE ON tasks BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER watched_tasks_delete AFTER DELETE ON tasks BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER watched_revocations_insert AFTER INSERT ON revocations BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_revocations_update AFTER UPDATE ON revocations BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER watched_revocations_delete AFTER DELETE ON revocations BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

-- Of what listings showed only that a definition differs concerns what is open.
CREATE TRIGGER watched_tool_sightings_insert AFTER INSERT ON tool_sightings WHEN NEW.differed_at IS NOT NULL BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_tool_sightings_update AFTER UPDATE ON tool_sightings WHEN NEW.differed_at IS NOT OLD.differed_at BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
