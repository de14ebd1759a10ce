/** What waits for the decision log, in order. */
export interface Waiting {
  waiting(limit: number): readonly { readonly id: number; readonly row: string }[]
  told(last: number): void
}

/** However long the names in them are, so many are less than the two megabytes that D1 takes. */
const BATCH_ROWS = 100

/** By table of the log: the columns that an event brings with it. */
const COLUMNS = {
  credential_events:
    'id, tenant, credential, event, cause, issuer, subject_issuer, subject, client, agent, server, task, decision, status, attempts, detail, happened_at',
  server_task_events:
    'id, tenant, running, server, server_task, event, cause, subject_issuer, subject, client, agent, tool, task, decision, carried, status, attempts, detail, happened_at',
} as const

const statementFor = (table: keyof typeof COLUMNS): string => {
  const columns = COLUMNS[table]
  const values = columns.split(', ').map((name) => `value ->> '${name}'`)
  return `INSERT INTO ${table} (${columns}, shipped_at)
    SELECT ${values.join(', ')}, ?2 FROM json_each(?1) WHERE true ON CONFLICT (id) DO NOTHING`
}

/**
 * Brings events to the decision log. INVARIANT: one is forgotten only after the log acknowledged it;
 * bringing it twice is harmless, for the log takes each id once. False: the log does not take them now.
 */
export async function shipEvents(
  store: Waiting,
  table: keyof typeof COLUMNS,
  log: D1Database,
  now: number,
): Promise<boolean> {
  try {
    for (;;) {
      const batch = store.waiting(BATCH_ROWS)
      const last = batch.at(-1)
      if (last === undefined) return true
      // oxlint-disable-next-line no-await-in-loop
      await log
        .prepare(statementFor(table))
        .bind(`[${batch.map(({ row }) => row).join(',')}]`, now)
        .run()
      store.told(last.id)
    }
  } catch (error) {
    console.error(`${table} were not taken by the log, will try again`, String(error))
    return false
  }
}
