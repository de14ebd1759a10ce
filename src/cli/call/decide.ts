// One call, decided by the Worker's own core over the rows of the scratch database.
import type { DatabaseSync } from 'node:sqlite'
import type { JsonObject } from '../../mcp/value.ts'
import { actorOf, evaluate } from '../../pdp/evaluate.ts'
import {
  isWorkload,
  type Actor,
  type EvaluationRequest,
  type Facts,
  type PolicyMatch,
  type RevocationFact,
  type RoleFact,
} from '../../pdp/evaluation.ts'
import { compilePolicies } from '../../pdp/policy.ts'
import { REVOCATION_KINDS, type DecisionRefusal } from '../../pdp/refusal.ts'
import { judge, type RuleHit } from '../../pdp/sequence/advance.ts'
import { Mistake } from '../mistake.ts'
import { readTenant, select, type TenantRows } from '../scratch/tenant-rows.ts'
import { remembered, type PastCall } from './history.ts'

export interface Call {
  readonly tenant: string
  readonly server: string
  readonly tool: string
  readonly arguments: JsonObject
  readonly subject: string
  /** null: as role_assignments say. */
  readonly roles: readonly string[] | null
  readonly client: string
  readonly agent: string | null
  /** null: all that the call needs, so that the question is about policies. */
  readonly scopes: readonly string[] | null
  readonly history: readonly PastCall[]
}

export interface Decision {
  readonly rows: TenantRows
  readonly request: EvaluationRequest
  readonly facts: Facts
  /** null: allowed. */
  readonly refusal: DecisionRefusal | null
  readonly matches: readonly PolicyMatch[]
  /** null: the rules were not asked, because the call was refused before. */
  readonly hits: readonly RuleHit[] | null
  /** Sequence rules that this call's labels call up. */
  readonly asked: readonly string[]
}

export function decideCall(database: DatabaseSync, call: Call): Decision {
  const rows = readTenant(database, call.tenant)
  const server = rows.servers.get(call.server)
  if (server === undefined) {
    throw new Mistake(`tenant \`${call.tenant}\` has no server \`${call.server}\``)
  }
  const tool = server.tools.find(call.tool)
  const now = Date.now()
  const needed = [...server.facts.requiredScopes, ...(tool?.requiredScopes ?? [])]
  const issuer = issuerOf(rows, call)
  const request: EvaluationRequest = {
    subject: {
      type: call.subject === call.client ? 'workload' : 'user',
      id: call.subject,
      properties: {
        tenant: call.tenant,
        issuer,
        client: call.client,
        agent: call.agent,
        actorChain: call.agent === null ? [] : [call.agent],
        tokenId: 'policy-command',
        scopes: call.scopes ?? needed,
      },
    },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: call.tool, properties: { server: call.server } },
    context: { arguments: call.arguments, now },
  }
  const actor = actorOf(request)
  const facts: Facts = {
    revision: '',
    ...readFacts(database, actor, call),
    server: server.facts,
    tool,
  }
  const { refusal, matches } = evaluate(request, compilePolicies(rows.policies), facts)
  const { rules, view, step } = remembered(rows, server, actor, call.history, tool, now)
  const asked = rules.triggeredBy(step.labels).map(({ row }) => row.id)
  if (refusal !== null) return { rows, request, facts, refusal, matches, hits: null, asked }
  const hits = judge(rules, view, step)
  const denial = hits.find(({ effect }) => effect === 'deny')
  return {
    rows,
    request,
    facts,
    refusal:
      denial === undefined
        ? null
        : {
            at: 'decide',
            reason: 'denied_by_sequence',
            rule: denial.rule,
            ruleReason: denial.reason,
          },
    matches,
    hits,
    asked,
  }
}

/** The issuer that knows the client; a tenant's only one where none does. */
function issuerOf({ tenant, registrations, issuers }: TenantRows, { client }: Call): string {
  const registered = registrations.find(({ kind, id }) => kind === 'client' && id === client)
  const issuer = registered?.issuer ?? issuers[0]?.url
  if (issuer === undefined) throw new Mistake(`tenant \`${tenant}\` trusts no issuer`)
  return issuer
}

type StoredFacts = Omit<Facts, 'revision' | 'server' | 'tool'>

function readFacts(database: DatabaseSync, actor: Actor, call: Call): StoredFacts {
  const { tenant, issuer, subject, client, agent } = actor
  const [row] = select<{ active: number; calls: number }>(
    database,
    'SELECT active, actor_calls_per_minute AS calls FROM tenants WHERE id = ?',
    tenant,
  )
  const workload = isWorkload(actor)
  const activeIn = (table: 'clients' | 'agents', id: string): boolean | null => {
    const sql = `SELECT active FROM ${table} WHERE tenant = ? AND issuer = ? AND id = ?`
    const [found] = select<{ active: number }>(database, sql, tenant, issuer, id)
    return found === undefined ? null : found.active === 1
  }
  const rolesOf = (kind: string, holder: string): RoleFact[] =>
    select<RoleFact>(
      database,
      `SELECT role, expires_at AS expiresAt FROM role_assignments
       WHERE tenant = ? AND issuer = ? AND holder_kind = ? AND holder = ? ORDER BY role`,
      tenant,
      issuer,
      kind,
      holder,
    )
  return {
    tenantActive: row?.active === 1,
    callsPerMinute: row?.calls ?? 0,
    clientActive: activeIn('clients', client),
    agentActive: agent === null ? null : activeIn('agents', agent),
    subjectRoles:
      call.roles?.map((role) => ({ role, expiresAt: null })) ??
      rolesOf(workload ? 'client' : 'user', subject),
    agentRoles:
      agent !== null ? rolesOf('agent', agent) : workload ? [] : rolesOf('client', client),
    revocations: readRevocations(database, actor, call),
  }
}

/** Everything about the call that a revocation can name and a file can know. */
function readRevocations(database: DatabaseSync, actor: Actor, call: Call): RevocationFact[] {
  const named: Partial<Record<RevocationFact['kind'], string>> = {
    client: actor.client,
    subject: actor.subject,
    ...(actor.agent === null ? {} : { agent: actor.agent }),
    server: call.server,
    tool: `${call.server}/${call.tool}`,
    issuer: actor.issuer,
    tenant: actor.tenant,
  }
  return select<RevocationFact>(
    database,
    `SELECT kind, id, issuer, revoked_at AS revokedAt FROM revocations
     WHERE tenant = ? AND issuer IN ('*', ?)`,
    actor.tenant,
    actor.issuer,
  )
    .filter(({ kind, id }) => named[kind] === id)
    .toSorted((a, b) => REVOCATION_KINDS.indexOf(a.kind) - REVOCATION_KINDS.indexOf(b.kind))
}
