import type { CredentialsStore } from './credentials-store.ts'

const BATCH_ROWS = 200

/**
 * Brings events to the decision log. INVARIANT: one is forgotten only after the log acknowledged it;
 * bringing it twice is harmless, for the log takes each id once. False: the log does not take them now.
 */
export async function shipEvents(
  store: CredentialsStore,
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
        .prepare(
          `INSERT INTO credential_events (id, tenant, credential, event, cause, issuer, subject_issuer, subject, client, agent, server, task, decision, status, attempts, detail, happened_at, shipped_at)
           SELECT value ->> 'id', value ->> 'tenant', value ->> 'credential', value ->> 'event', value ->> 'cause', value ->> 'issuer', value ->> 'subject_issuer', value ->> 'subject', value ->> 'client', value ->> 'agent', value ->> 'server', value ->> 'task', value ->> 'decision', value ->> 'status', value ->> 'attempts', value ->> 'detail', value ->> 'happened_at', ?2
           FROM json_each(?1) WHERE true ON CONFLICT (id) DO NOTHING`,
        )
        .bind(`[${batch.map(({ row }) => row).join(',')}]`, now)
        .run()
      store.told(last.id)
    }
  } catch (error) {
    console.error('the log did not take what became of credentials, will try again', String(error))
    return false
  }
}
