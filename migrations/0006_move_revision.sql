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

CREATE TRIGGER revision_tool_access_insert AFTER INSERT ON tool_access BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_tool_access_update AFTER UPDATE ON tool_access BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_tool_access_delete AFTER DELETE ON tool_access BEGIN
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

CREATE TRIGGER revision_resource_types_insert AFTER INSERT ON resource_types BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_resource_types_update AFTER UPDATE ON resource_types BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_resource_types_delete AFTER DELETE ON resource_types BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER revision_tool_arguments_insert AFTER INSERT ON tool_arguments BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_tool_arguments_update AFTER UPDATE ON tool_arguments BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_tool_arguments_delete AFTER DELETE ON tool_arguments BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER revision_tool_results_insert AFTER INSERT ON tool_results BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_tool_results_update AFTER UPDATE ON tool_results BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_tool_results_delete AFTER DELETE ON tool_results BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER revision_tool_origins_insert AFTER INSERT ON tool_origins BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_tool_origins_update AFTER UPDATE ON tool_origins BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
END;
CREATE TRIGGER revision_tool_origins_delete AFTER DELETE ON tool_origins BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER revision_policies_insert AFTER INSERT ON policies BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
  INSERT INTO policy_history (tenant, source, id, change, state, revision)
  SELECT NEW.tenant, 'policies', NEW.id, 'insert', json_object(
      'tenant', NEW.tenant, 'id', NEW.id, 'effect', NEW.effect, 'mode', NEW.mode,
      'role', NEW.role, 'client', NEW.client, 'agent', NEW.agent, 'server', NEW.server,
      'tool', NEW.tool, 'access', NEW.access, 'label', NEW.label,
      'environment', NEW.environment, 'condition', NEW.condition,
      'require_acr', NEW.require_acr,
      'require_sender_constrained', NEW.require_sender_constrained,
      'max_auth_age_s', NEW.max_auth_age_s, 'require_approval', NEW.require_approval,
      'require_task', NEW.require_task,
      'reason', NEW.reason, 'enabled', NEW.enabled
    ), counter || ':' || nonce
  FROM revision WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_policies_update AFTER UPDATE ON policies BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
  -- A row that changes its name is gone under the old one.
  INSERT INTO policy_history (tenant, source, id, change, state, revision)
  SELECT OLD.tenant, 'policies', OLD.id, 'delete', json_object(
      'tenant', OLD.tenant, 'id', OLD.id, 'effect', OLD.effect, 'mode', OLD.mode,
      'role', OLD.role, 'client', OLD.client, 'agent', OLD.agent, 'server', OLD.server,
      'tool', OLD.tool, 'access', OLD.access, 'label', OLD.label,
      'environment', OLD.environment, 'condition', OLD.condition,
      'require_acr', OLD.require_acr,
      'require_sender_constrained', OLD.require_sender_constrained,
      'max_auth_age_s', OLD.max_auth_age_s, 'require_approval', OLD.require_approval,
      'require_task', OLD.require_task,
      'reason', OLD.reason, 'enabled', OLD.enabled
    ), counter || ':' || nonce
  FROM revision WHERE tenant = OLD.tenant AND (OLD.tenant <> NEW.tenant OR OLD.id <> NEW.id);
  INSERT INTO policy_history (tenant, source, id, change, state, revision)
  SELECT NEW.tenant, 'policies', NEW.id, 'update', json_object(
      'tenant', NEW.tenant, 'id', NEW.id, 'effect', NEW.effect, 'mode', NEW.mode,
      'role', NEW.role, 'client', NEW.client, 'agent', NEW.agent, 'server', NEW.server,
      'tool', NEW.tool, 'access', NEW.access, 'label', NEW.label,
      'environment', NEW.environment, 'condition', NEW.condition,
      'require_acr', NEW.require_acr,
      'require_sender_constrained', NEW.require_sender_constrained,
      'max_auth_age_s', NEW.max_auth_age_s, 'require_approval', NEW.require_approval,
      'require_task', NEW.require_task,
      'reason', NEW.reason, 'enabled', NEW.enabled
    ), counter || ':' || nonce
  FROM revision WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_policies_delete AFTER DELETE ON policies BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
  INSERT INTO policy_history (tenant, source, id, change, state, revision)
  SELECT OLD.tenant, 'policies', OLD.id, 'delete', json_object(
      'tenant', OLD.tenant, 'id', OLD.id, 'effect', OLD.effect, 'mode', OLD.mode,
      'role', OLD.role, 'client', OLD.client, 'agent', OLD.agent, 'server', OLD.server,
      'tool', OLD.tool, 'access', OLD.access, 'label', OLD.label,
      'environment', OLD.environment, 'condition', OLD.condition,
      'require_acr', OLD.require_acr,
      'require_sender_constrained', OLD.require_sender_constrained,
      'max_auth_age_s', OLD.max_auth_age_s, 'require_approval', OLD.require_approval,
      'require_task', OLD.require_task,
      'reason', OLD.reason, 'enabled', OLD.enabled
    ), counter || ':' || nonce
  FROM revision WHERE tenant = OLD.tenant;
END;

CREATE TRIGGER revision_sequence_rules_insert AFTER INSERT ON sequence_rules BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = NEW.tenant;
  INSERT INTO policy_history (tenant, source, id, change, state, revision)
  SELECT NEW.tenant, 'sequence_rules', NEW.id, 'insert', json_object(
      'tenant', NEW.tenant, 'id', NEW.id, 'effect', NEW.effect, 'level', NEW.level,
      'on_label', NEW.on_label, 'on_access', NEW.on_access, 'unless_label', NEW.unless_label,
      'on_where', NEW.on_where, 'type', NEW.type, 'rules', NEW.rules, 'group_by', NEW.group_by,
      'scope', NEW.scope, 'timespan_s', NEW.timespan_s, 'until_label', NEW.until_label,
      'field', NEW.field, 'condition', NEW.condition, 'role', NEW.role, 'origins', NEW.origins,
      'title', NEW.title, 'reason', NEW.reason, 'enabled', NEW.enabled
    ), counter || ':' || nonce
  FROM revision WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_sequence_rules_update AFTER UPDATE ON sequence_rules BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant IN (OLD.tenant, NEW.tenant);
  -- A row that changes its name is gone under the old one.
  INSERT INTO policy_history (tenant, source, id, change, state, revision)
  SELECT OLD.tenant, 'sequence_rules', OLD.id, 'delete', json_object(
      'tenant', OLD.tenant, 'id', OLD.id, 'effect', OLD.effect, 'level', OLD.level,
      'on_label', OLD.on_label, 'on_access', OLD.on_access, 'unless_label', OLD.unless_label,
      'on_where', OLD.on_where, 'type', OLD.type, 'rules', OLD.rules, 'group_by', OLD.group_by,
      'scope', OLD.scope, 'timespan_s', OLD.timespan_s, 'until_label', OLD.until_label,
      'field', OLD.field, 'condition', OLD.condition, 'role', OLD.role, 'origins', OLD.origins,
      'title', OLD.title, 'reason', OLD.reason, 'enabled', OLD.enabled
    ), counter || ':' || nonce
  FROM revision WHERE tenant = OLD.tenant AND (OLD.tenant <> NEW.tenant OR OLD.id <> NEW.id);
  INSERT INTO policy_history (tenant, source, id, change, state, revision)
  SELECT NEW.tenant, 'sequence_rules', NEW.id, 'update', json_object(
      'tenant', NEW.tenant, 'id', NEW.id, 'effect', NEW.effect, 'level', NEW.level,
      'on_label', NEW.on_label, 'on_access', NEW.on_access, 'unless_label', NEW.unless_label,
      'on_where', NEW.on_where, 'type', NEW.type, 'rules', NEW.rules, 'group_by', NEW.group_by,
      'scope', NEW.scope, 'timespan_s', NEW.timespan_s, 'until_label', NEW.until_label,
      'field', NEW.field, 'condition', NEW.condition, 'role', NEW.role, 'origins', NEW.origins,
      'title', NEW.title, 'reason', NEW.reason, 'enabled', NEW.enabled
    ), counter || ':' || nonce
  FROM revision WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER revision_sequence_rules_delete AFTER DELETE ON sequence_rules BEGIN
  UPDATE revision SET counter = counter + 1, nonce = lower(hex(randomblob(16))) WHERE tenant = OLD.tenant;
  INSERT INTO policy_history (tenant, source, id, change, state, revision)
  SELECT OLD.tenant, 'sequence_rules', OLD.id, 'delete', json_object(
      'tenant', OLD.tenant, 'id', OLD.id, 'effect', OLD.effect, 'level', OLD.level,
      'on_label', OLD.on_label, 'on_access', OLD.on_access, 'unless_label', OLD.unless_label,
      'on_where', OLD.on_where, 'type', OLD.type, 'rules', OLD.rules, 'group_by', OLD.group_by,
      'scope', OLD.scope, 'timespan_s', OLD.timespan_s, 'until_label', OLD.until_label,
      'field', OLD.field, 'condition', OLD.condition, 'role', OLD.role, 'origins', OLD.origins,
      'title', OLD.title, 'reason', OLD.reason, 'enabled', OLD.enabled
    ), counter || ':' || nonce
  FROM revision WHERE tenant = OLD.tenant;
END;
