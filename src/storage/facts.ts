import type {
  ConsentFact,
  HolderKind,
  RevocationFact,
  RoleFact,
  Sighting,
  TaskFact,
} from '../pdp/evaluation.ts'
import type { NamedResource, ResourceRow } from '../pdp/resources.ts'
import type { RevocationKind } from '../pdp/refusal.ts'
import type { SignalFacts } from '../pdp/signals.ts'
import { COUNTS_FOR, SIGNALS } from './signal-facts.ts'
import { FRESH, REVISION, type D1Reader } from './freshness.ts'

/** Which rows belong to a call. All of it is verified; nothing is taken from the caller's word. */
export interface FactKeys {
  readonly tenant: string
  readonly issuer: string
  readonly subject: string
  readonly client: string
  readonly agent: string | null
  readonly subjectHolder: RoleHolder
  readonly agentHolder: RoleHolder | null
  /** Everything about this call that a revocation row could name; by another issuer where one is given. */
  readonly revocable: readonly (readonly [RevocationKind, string, issuer?: string])[]
  readonly server: string
  /** The tool that is called; null where none is. */
  readonly tool: string | null
  /** The row that speaks of it, whose pin counts; null: none is called, or none speaks of it. */
  readonly row: string | null
  /** The server's tools are listed: what concerns any of them is needed. */
  readonly listing: boolean
  /** What the arguments, or a result, name. */
  readonly named: readonly NamedResource[]
  /** The token's `txn`, and the digest of the handle that was shown: what may name a task. */
  readonly transaction: string | null
  readonly taskHandle: string | null
  /** Of a result: the task of its call. */
  readonly underTask: string | null
  /** Of the token: its `iat` in epoch seconds and its `sid`; null: it does not say. */
  readonly issuedAt: number | null
  readonly tokenSession: string | null
}

/** Somebody else than the software that acts under the task vouches for these (tasks.opened_by). */
export interface TaskWords {
  readonly text: string | null
  readonly values: readonly string[]
}

export type RoleHolder = readonly [kind: HolderKind, id: string]

/** What D1 says now. Read as one statement, so all of it is of one moment. */
export interface FreshFacts {
  /** `counter:nonce:shape`; null where the tenant has none, which no migration leads to. */
  readonly revision: string | null
  readonly revisionTriggers: number
  /** Moves with every row that an open call may hang on; compared by whoever watches over it. */
  readonly state: string
  /** Rows of any tenant that trust something on this machine. */
  readonly localTrust: boolean
  readonly tenantActive: boolean
  readonly callsPerMinute: number
  readonly clientActive: boolean | null
  readonly clientActsForUsers: boolean
  readonly agentActive: boolean | null
  readonly subjectRoles: readonly RoleFact[]
  readonly agentRoles: readonly RoleFact[]
  readonly revocations: readonly RevocationFact[]
  /** The ids (`server/tool`) of what is revoked of that server, whether it is asked for or only shown. */
  readonly revokedTools: ReadonlySet<string>
  /** By tool: of the one that is called, or of all that are listed; compared with the present pin. */
  readonly sightings: ReadonlyMap<string, Sighting>
  readonly consents: readonly ConsentFact[]
  readonly tasks: readonly TaskFact[]
  readonly transactionIsTask: boolean
  /** What the person asked for, by task. */
  readonly words: ReadonlyMap<string, TaskWords>
  /** What ends in one of these is the organisation's own. */
  readonly ownDomains: readonly string[]
  /** By `resourceKey`; absent: unlisted. */
  readonly resources: ReadonlyMap<string, ResourceRow>
  /** null: no stream says anything of this token. */
  readonly signals: SignalFacts | null
}

/** A document beside the token (a third part) does not say here when it was made. */
const REVOKED_FOR = {
  issuedAt: 'iif(named.value ->> 2 IS NULL, ?14, NULL)',
  client: '?3',
  session: '?15',
}

/** The best row for one named resource: exact before pattern, then the longest text around the `*`. */
const BEST_RESOURCE = `SELECT json_array(tenant, id, pattern, owner_issuer, owner, sensitivity, json(labels))
  FROM (
    SELECT one.* FROM resources AS one
      WHERE one.type = named.value ->> 0 AND one.id = named.value ->> 1 AND one.pattern = 0
        AND one.tenant IN (SELECT tenant FROM sharing)
    UNION ALL
    SELECT many.* FROM resources AS many
      WHERE many.tenant IN (SELECT tenant FROM sharing) AND many.type = named.value ->> 0
        AND many.pattern = 1 AND length(named.value ->> 1) >= length(many.id) - 1
        AND substr(named.value ->> 1, 1, instr(many.id, '*') - 1) = substr(many.id, 1, instr(many.id, '*') - 1)
        AND (instr(many.id, '*') = length(many.id)
          OR substr(named.value ->> 1, instr(many.id, '*') - length(many.id)) = substr(many.id, instr(many.id, '*') + 1))
  )
  ORDER BY pattern, CASE pattern WHEN 1 THEN instr(id, '*') ELSE 0 END DESC, length(id) DESC, tenant <> ?1, id
  LIMIT 1`

/** With two it is not known which is meant, and more of them say no more. */
const MOST_OPEN_TASKS = 2

/**
 * The index for consents is named: the table is its own primary key, which looks cheaper to a planner
 * that knows no figures and reads every consent of the tenant. All that hold are among the 200 that
 * are read (trigger `consents_bound`); the others only tell why none does.
 *
 * Tenants that send to the same upstream (`sharing`) name the same things: what one of them has
 * listed is not another's.
 */
const STATEMENT = `WITH sharing AS (
    SELECT DISTINCT tenant FROM servers
    WHERE rtrim(lower(url), '/') = (SELECT rtrim(lower(url), '/') FROM servers WHERE name = ?8)
  )
SELECT
  (SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'revision_*') AS triggers,
  (EXISTS (SELECT 1 FROM issuers WHERE demo = 1 OR url GLOB 'http:*' OR jwks_uri GLOB 'http:*'
    OR introspection_url GLOB 'http:*' OR token_url GLOB 'http:*' OR revocation_url GLOB 'http:*')
    OR EXISTS (SELECT 1 FROM servers WHERE url GLOB 'http:*')) AS local_trust,
  (SELECT ${REVISION} FROM revision WHERE tenant = ?1) AS revision,
  (SELECT ${FRESH} FROM revision WHERE tenant = ?1) AS fresh,
  (SELECT json_array(active, actor_calls_per_minute, json(own_domains)) FROM tenants WHERE id = ?1) AS tenant,
  (SELECT json_array(active, acts_for_users) FROM clients WHERE tenant = ?1 AND issuer = ?2 AND id = ?3) AS client,
  (SELECT active FROM agents WHERE tenant = ?1 AND issuer = ?2 AND id = ?4) AS agent,
  (SELECT json_group_array(json_array(held.holder_kind, held.holder, held.role, held.expires_at))
     FROM json_each(?5) AS holder CROSS JOIN role_assignments AS held
     ON held.tenant = ?1 AND held.issuer = ?2
       AND held.holder_kind = holder.value ->> 0 AND held.holder = holder.value ->> 1) AS roles,
  (SELECT json_group_array(json_array(revoked.kind, revoked.id, revoked.issuer, revoked.revoked_at, revoked.issued_before))
     FROM json_each(?6) AS named CROSS JOIN revocations AS revoked
     ON revoked.tenant = ?1 AND revoked.kind = named.value ->> 0
       AND revoked.id = named.value ->> 1
       AND revoked.issuer IN ('*', coalesce(named.value ->> 2, ?2))
     WHERE ${COUNTS_FOR('revoked', REVOKED_FOR)}) AS revocations,
  ${SIGNALS} AS signals,
  (SELECT json_group_array(id) FROM revocations
     WHERE tenant = ?1 AND kind = 'tool' AND id >= ?8 || '/' AND id < ?8 || '0'
       AND issuer IN ('*', ?2)) AS revoked_tools,
  (SELECT json_group_array(json_array(seen.tool, seen.definition_hash, seen.matched_at, seen.differed_at))
     FROM tools AS pinned JOIN tool_sightings AS seen
     ON seen.tenant = ?1 AND seen.server = ?8 AND seen.tool = pinned.name
       AND seen.definition_hash = pinned.definition_hash
     WHERE pinned.tenant = ?1 AND pinned.server = ?8 
       AND pinned.name BETWEEN coalesce(?17, '') AND coalesce(?17, char(1114111))) AS sightings,
  (SELECT json_group_array(json(one)) FROM
     (SELECT given.tool, json_array(given.id, given.tool, given.access, given.definition_hash, given.expires_at,
        coalesce(given.revoked_at, (SELECT max(revoked_at) FROM revocations
          WHERE tenant = ?1 AND kind = 'consent' AND id = given.id AND issuer IN ('*', ?2)))) AS one
      FROM consents AS given INDEXED BY consents_by_actor
      WHERE given.tenant = ?1 AND given.issuer = ?2 AND given.subject = ?10
        AND given.server = ?8 AND given.client = ?3
      ORDER BY given.ends_at DESC LIMIT 200)
     WHERE ?7 = 1 OR tool IS NULL OR tool = ?9 OR tool GLOB 'client:*') AS consents,
  (SELECT json_group_array(json_array(own.id, own.agent, own.purpose, json(own.tools), json(own.access),
       json(own.data_classes), own.max_calls, own.approved_at IS NOT NULL, own.expires_at, own.closed_at,
       own.handle_digest IS ?13 AND ?13 IS NOT NULL, own.asked_for, json(own.named_values),
       (SELECT max(revoked_at) FROM revocations
         WHERE tenant = ?1 AND kind = 'task' AND id = own.id AND issuer IN ('*', ?2))))
     FROM tasks AS own WHERE own.tenant = ?1 AND own.issuer = ?2 AND own.subject = ?10
       AND own.client = ?3 AND own.agent IS ?4 AND own.id IN (
         SELECT id FROM (SELECT id FROM tasks WHERE tenant = ?1 AND issuer = ?2 AND subject = ?10
           AND client = ?3 AND agent IS ?4 AND closed_at IS NULL
           AND expires_at > (unixepoch() - 60) * 1000
           ORDER BY expires_at DESC LIMIT ${MOST_OPEN_TASKS})
         UNION ALL SELECT ?12
         UNION ALL SELECT ?16
         UNION ALL SELECT id FROM tasks WHERE tenant = ?1 AND handle_digest = ?13)) AS tasks,
  EXISTS (SELECT 1 FROM tasks WHERE tenant = ?1 AND id = ?12) AS transaction_is_task,
  (SELECT json_group_array(json_array(named.value ->> 0, named.value ->> 1, json((${BEST_RESOURCE}))))
     FROM json_each(?11) AS named) AS resources`

/** The one statement of a decision's facts, to be run alone or as the first of a batch. */
export function factsStatement(database: D1Reader, keys: FactKeys): D1PreparedStatement {
  const holders =
    keys.agentHolder === null ? [keys.subjectHolder] : [keys.subjectHolder, keys.agentHolder]
  const named = keys.named.filter(({ id }) => id !== null).map(({ type, id }) => [type, id])
  return database
    .prepare(STATEMENT)
    .bind(
      keys.tenant,
      keys.issuer,
      keys.client,
      keys.agent,
      JSON.stringify(holders),
      JSON.stringify(keys.revocable),
      keys.listing ? 1 : 0,
      keys.server,
      keys.tool,
      keys.subject,
      JSON.stringify(named),
      keys.transaction,
      keys.taskHandle,
      keys.issuedAt === null ? null : keys.issuedAt * 1000,
      keys.tokenSession,
      keys.underTask,
      keys.row,
    )
}
