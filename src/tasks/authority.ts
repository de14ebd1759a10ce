import type { HolderKind } from '../pdp/evaluation.ts'
import type { D1Reader } from '../storage/freshness.ts'
import { COUNTS_FOR, SIGNALS } from '../storage/signal-facts.ts'
import type { TaskCaller } from './caller.ts'
import { openerKeys, type Grant, type TaskActor } from './opener.ts'

/** What a caller's rows and those of the task's actor say, all of one moment. */
export interface Authority {
  readonly grants: readonly Grant[]
  /** null: no row. */
  readonly clientActive: boolean | null
  /** null: no row, or no agent. */
  readonly agentActive: boolean | null
  /** The same as text: what is written counts only while this is still so. */
  readonly text: string
}

/** A document beside the token (a third part) does not say here when it was made. */
const CALLERS_TOKEN = {
  issuedAt: 'iif(named.value ->> 2 IS NULL, ?14, NULL)',
  client: '?3',
  session: '?15',
}

/**
 * One text of everything that the right to open or to end a task hangs on. A write names the text that
 * was judged, so that what was taken back in between writes nothing.
 *
 * Its numbers are those of the facts' statement (src/storage/facts.ts), as far as they share them.
 */
export const AUTHORITY = `(SELECT json_array(
  (SELECT counter || ':' || nonce FROM revision WHERE tenant = ?1),
  (SELECT active FROM tenants WHERE id = ?1),
  (SELECT json_array(active, acts_for_users) FROM clients WHERE tenant = ?1 AND issuer = ?2 AND id = ?3),
  (SELECT active FROM agents WHERE tenant = ?1 AND issuer = ?2 AND id = ?4),
  (SELECT count(*) FROM json_each(?6) AS named CROSS JOIN revocations AS revoked
     ON revoked.tenant = ?1 AND revoked.kind = named.value ->> 0 AND revoked.id = named.value ->> 1
       AND revoked.issuer IN ('*', coalesce(named.value ->> 2, ?2))
     WHERE ${COUNTS_FOR('revoked', CALLERS_TOKEN)}),
  (SELECT json_group_array(json_array(kind, client, through, for_others, may_approve, max_lifetime_s))
     FROM (SELECT grants.* FROM json_each(?5) AS holder CROSS JOIN task_openers AS grants
       ON grants.tenant = ?1 AND grants.issuer = ?2 AND grants.kind = holder.value ->> 0
         AND grants.id = holder.value ->> 1 AND grants.active = 1
       ORDER BY grants.kind, grants.client)),
  (SELECT active FROM clients WHERE tenant = ?1 AND issuer = ?7 AND id = ?8),
  (SELECT active FROM agents WHERE tenant = ?1 AND issuer = ?7 AND id = ?9),
  ${SIGNALS}))`

/** How many parameters the text has: a statement that quotes it goes on behind them. */
export const AUTHORITY_PARAMETERS = 15

export const NOBODY: TaskActor = { issuer: '', subject: '', client: '', agent: null }

export function authorityParameters({ claims, revocable }: TaskCaller, actor: TaskActor) {
  const { tenant, issuer, client, agent, issuedAt, sessionId } = claims
  return [
    tenant,
    issuer,
    client,
    agent,
    JSON.stringify(openerKeys(claims)),
    JSON.stringify(revocable),
    actor.issuer,
    actor.client,
    actor.agent,
    ...NOT_ASKED,
    issuedAt === null ? null : issuedAt * 1000,
    sessionId,
  ] as const
}

/** Numbers of the facts' statement that nothing here has. */
const NOT_ASKED = [null, null, null, null] as const

export async function readAuthority(
  database: D1Reader,
  caller: TaskCaller,
  actor: TaskActor,
): Promise<Authority | null> {
  const row = await database
    .prepare(`SELECT ${AUTHORITY} AS text`)
    .bind(...authorityParameters(caller, actor))
    .first<{ text: string }>()
  return row === null ? null : authorityOf(row.text, caller)
}

type Stored = readonly [
  revision: string | null,
  tenantActive: number | null,
  client: string | null,
  agent: number | null,
  revoked: number,
  grants: string,
  actorClient: number | null,
  actorAgent: number | null,
]

type StoredGrant = readonly [HolderKind, string, string | null, number, number, number]

/** null: the rows are not those any more that let the caller in. */
function authorityOf(text: string, { compiled }: TaskCaller): Authority | null {
  const [revision, , , , , grants, client, agent] = JSON.parse(text) as Stored
  // The third part is of the schema, and in no row.
  if (revision !== compiled.revision.split(':').slice(0, 2).join(':')) return null
  return {
    grants: listOf(grants).map(
      ([kind, of, through, forOthers, mayApprove, maxLifetimeSeconds]): Grant => ({
        kind,
        client: of,
        through,
        forOthers: forOthers === 1,
        mayApprove: mayApprove === 1,
        maxLifetimeSeconds,
      }),
    ),
    clientActive: client === null ? null : client === 1,
    agentActive: agent === null ? null : agent === 1,
    text,
  }
}

/** A list inside a list of SQLite is one, or the text of one. */
const listOf = (value: string | readonly StoredGrant[]): readonly StoredGrant[] =>
  typeof value === 'string' ? (JSON.parse(value) as readonly StoredGrant[]) : value
