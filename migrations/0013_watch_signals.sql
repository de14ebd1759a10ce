-- What is open hangs on signals as well: the counter of 0009_watch_open_calls.sql moves with them.

CREATE TRIGGER watched_signal_streams_insert AFTER INSERT ON signal_streams BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_signal_streams_update AFTER UPDATE ON signal_streams BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER watched_signal_streams_delete AFTER DELETE ON signal_streams BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER watched_signal_states_insert AFTER INSERT ON signal_states BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_signal_states_update AFTER UPDATE ON signal_states BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER watched_signal_states_delete AFTER DELETE ON signal_states BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER watched_claim_overlays_insert AFTER INSERT ON claim_overlays BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_claim_overlays_update AFTER UPDATE ON claim_overlays BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER watched_claim_overlays_delete AFTER DELETE ON claim_overlays BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

-- A stream is heard all the time; only what it says of itself concerns what is open. That it fell silent
-- is no row: whatever is open is asked about twice a minute in any case.
CREATE TRIGGER watched_signal_stream_states_insert AFTER INSERT ON signal_stream_states WHEN NEW.status <> 'enabled' BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER watched_signal_stream_states_update AFTER UPDATE ON signal_stream_states WHEN NEW.status IS NOT OLD.status BEGIN
  UPDATE revision SET fresh_counter = fresh_counter + 1, fresh_nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
