/** The tables whose rows a problem can name, with the columns that make up a row's name. */
export const TRACKED = {
  tenants: ['id'],
  issuers: ['tenant', 'url'],
  clients: ['tenant', 'issuer', 'id'],
  agents: ['tenant', 'issuer', 'id'],
  role_assignments: ['tenant', 'issuer', 'holder_kind', 'holder', 'role'],
  servers: ['name'],
  tools: ['tenant', 'server', 'name'],
  tool_access: ['tenant', 'server', 'tool', 'access'],
  tool_labels: ['tenant', 'server', 'tool', 'label'],
  resource_types: ['tenant', 'name'],
  tool_arguments: ['tenant', 'server', 'tool', 'pointer'],
  tool_results: ['tenant', 'server', 'tool', 'pointer'],
  tool_origins: ['tenant', 'server', 'tool', 'pointer'],
  resources: ['tenant', 'type', 'id'],
  consents: ['tenant', 'id'],
  tasks: ['tenant', 'id'],
  task_openers: ['tenant', 'issuer', 'kind', 'id', 'client'],
  // The issuer is often left out, and the last part finds the row then.
  revocations: ['tenant', 'kind', 'issuer', 'id'],
  policies: ['tenant', 'id'],
  sequence_rules: ['tenant', 'id'],
  pdp_callers: ['tenant', 'issuer', 'client'],
  signal_streams: ['id'],
  // `member` is often left out.
  subject_aliases: ['tenant', 'issuer', 'member', 'format', 'value', 'subject'],
} as const satisfies Record<string, readonly string[]>

export type TrackedTable = keyof typeof TRACKED

export const TRACKED_TABLES = Object.keys(TRACKED) as TrackedTable[]

/** A temporary trigger fires with the table's own ones, and is no part of the schema. */
export const trackingTriggers = (table: TrackedTable): string =>
  ['insert', 'update']
    .map(
      (event) => `CREATE TEMP TRIGGER IF NOT EXISTS track_${table}_${event}
        AFTER ${event} ON main.${table} BEGIN
          INSERT INTO touched VALUES ('${table}', json_array(${TRACKED[table]
            .map((column) => `NEW.${column}`)
            .join()}));
        END;`,
    )
    .join('\n')

export const rowName = (table: TrackedTable, key: readonly string[]): string =>
  `${table} ${JSON.stringify(key)}`
