import { REVOCATION_KINDS, type RevocationKind } from '../pdp/refusal.ts'
import type { RevocationFact, RoleFact } from '../pdp/evaluation.ts'
import type { D1Reader } from './freshness.ts'

/** Which rows belong to a call. All of it is verified; nothing is taken from the caller's word. */
export interface FactKeys {
  readonly tenant: string
  readonly issuer: string
  readonly client: string
  readonly agent: string | null
  readonly subjectHolder: RoleHolder
  readonly agentHolder: RoleHolder | null
  /** Everything about this call that a revocation row could name. */
  readonly revocable: readonly (readonly [RevocationKind, string])[]
  /** The server whose tools are listed; null where the operation is no listing. */
  readonly listed: string | null
}

export type RoleHolder = readonly [kind: 'user' | 'client' | 'agent', id: string]

/** What D1 says now. Read as one statement, so all of it is of one moment. */
export interface FreshFacts {
  /** `counter:nonce`; null where the tenant has none, which no migration leads to. */
  readonly revision: string | null
  readonly revisionTriggers: number
  /** Rows of any tenant that trust something on this machine. */
  readonly localTrust: boolean
  readonly tenantActive: boolean
  readonly callsPerMinute: number
  readonly clientActive: boolean | null
  readonly agentActive: boolean | null
  readonly subjectRoles: readonly RoleFact[]
  readonly agentRoles: readonly RoleFact[]
  readonly revocations: readonly RevocationFact[]
  /** For a listing: the ids (`server/tool`) of tools of that server that are revoked. */
  readonly revokedTools: ReadonlySet<string>
}

const STATEMENT = `SELECT
  (SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'revision_*') AS triggers,
  (EXISTS (SELECT 1 FROM issuers WHERE demo = 1 OR url GLOB 'http:*' OR jwks_uri GLOB 'http:*')
    OR EXISTS (SELECT 1 FROM servers WHERE url GLOB 'http:*')) AS local_trust,
  (SELECT counter || ':' || nonce FROM revision WHERE tenant = ?1) AS revision,
  (SELECT json_array(active, actor_calls_per_minute) FROM tenants WHERE id = ?1) AS tenant,
  (SELECT active FROM clients WHERE tenant = ?1 AND issuer = ?2 AND id = ?3) AS client,
  (SELECT active FROM agents WHERE tenant = ?1 AND issuer = ?2 AND id = ?4) AS agent,
  (SELECT json_group_array(json_array(held.holder_kind, held.holder, held.role, held.expires_at))
     FROM json_each(?5) AS holder CROSS JOIN role_assignments AS held
     ON held.tenant = ?1 AND held.issuer = ?2
       AND held.holder_kind = holder.value ->> 0 AND held.holder = holder.value ->> 1) AS roles,
  (SELECT json_group_array(json_array(revoked.kind, revoked.id, revoked.issuer, revoked.revoked_at))
     FROM json_each(?6) AS named CROSS JOIN revocations AS revoked
     ON revoked.tenant = ?1 AND revoked.kind = named.value ->> 0
       AND revoked.id = named.value ->> 1 AND revoked.issuer IN ('*', ?2)) AS revocations,
  (SELECT json_group_array(id) FROM revocations
     WHERE ?7 IS NOT NULL AND tenant = ?1 AND kind = 'tool' AND id >= ?7 || '/' AND id < ?7 || '0'
       AND issuer IN ('*', ?2)) AS revoked_tools`

interface FactsRow {
  readonly revision: string | null
  readonly triggers: number
  readonly local_trust: number
  readonly tenant: string | null
  readonly client: number | null
  readonly agent: number | null
  readonly roles: string
  readonly revocations: string
  readonly revoked_tools: string
}

/** The one statement of a decision's facts, to be run alone or as the first of a batch. */
export function factsStatement(database: D1Reader, keys: FactKeys): D1PreparedStatement {
  const holders =
    keys.agentHolder === null ? [keys.subjectHolder] : [keys.subjectHolder, keys.agentHolder]
  return database
    .prepare(STATEMENT)
    .bind(
      keys.tenant,
      keys.issuer,
      keys.client,
      keys.agent,
      JSON.stringify(holders),
      JSON.stringify(keys.revocable),
      keys.listed,
    )
}

export function readFactsRow(row: unknown, keys: FactKeys): FreshFacts {
  const { tenant, client, agent, roles, revocations, ...rest } = row as FactsRow
  const [active, callsPerMinute] =
    tenant === null ? [0, 0] : (JSON.parse(tenant) as [number, number])
  const held = JSON.parse(roles) as [string, string, string, number | null][]
  return {
    revision: rest.revision,
    revisionTriggers: rest.triggers,
    localTrust: rest.local_trust === 1,
    tenantActive: active === 1,
    callsPerMinute,
    clientActive: client === null ? null : client === 1,
    agentActive: agent === null ? null : agent === 1,
    subjectRoles: rolesOf(held, keys.subjectHolder),
    agentRoles: keys.agentHolder === null ? [] : rolesOf(held, keys.agentHolder),
    revocations: readRevocations(revocations),
    revokedTools: new Set(JSON.parse(rest.revoked_tools) as string[]),
  }
}

const rolesOf = (
  held: readonly (readonly [string, string, string, number | null])[],
  [kind, id]: RoleHolder,
): RoleFact[] =>
  held
    .filter(([holderKind, holder]) => holderKind === kind && holder === id)
    .map(([, , role, expiresAt]) => ({ role, expiresAt }))
    .toSorted((a, b) => (a.role < b.role ? -1 : 1))

/** In the order of the kinds, so that a record does not depend on the order of rows. */
const readRevocations = (json: string): RevocationFact[] =>
  (JSON.parse(json) as [RevocationKind, string, string, number][])
    .map(([kind, id, issuer, revokedAt]) => ({ kind, id, issuer, revokedAt }))
    .toSorted((a, b) => REVOCATION_KINDS.indexOf(a.kind) - REVOCATION_KINDS.indexOf(b.kind))
