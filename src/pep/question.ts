import type { Claims } from '../authentication/claims.ts'
import type { Operation } from '../mcp/operation.ts'
import {
  isWorkload,
  type Actor,
  type EvaluationRequest,
  type Facts,
  type ToolFacts,
} from '../pdp/evaluation.ts'
import type { CompiledServer } from '../storage/compiled.ts'
import type { FactKeys, FreshFacts } from '../storage/facts.ts'

/** Who acts, as the token proves it. */
export const actorOf = (claims: Claims): Actor => ({
  tenant: claims.tenant,
  issuer: claims.issuer,
  subject: claims.subject,
  client: claims.client,
  agent: claims.agent,
})

/** The name of a subject's history; client, agent and token are no part of it. */
export async function sessionKeyOf(actor: Actor): Promise<string> {
  // An array of strings has one canonical JSON form (RFC 8785 §3.2.2.2), and its borders are safe.
  return sha256(JSON.stringify([actor.tenant, actor.issuer, actor.subject]))
}

export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Whose lock-outs: the client and the agent within one subject's session. */
export const actorKeyOf = (actor: Actor): string => JSON.stringify([actor.client, actor.agent])

/** Everything of this call that roles, registrations and revocations could be about. */
export function factKeysOf(
  actor: Actor,
  claims: Claims,
  session: string,
  server: string,
  operation: Operation,
): FactKeys {
  const workload = isWorkload(actor)
  return {
    tenant: actor.tenant,
    issuer: actor.issuer,
    client: actor.client,
    agent: actor.agent,
    subjectHolder: [workload ? 'client' : 'user', actor.subject],
    agentHolder:
      actor.agent !== null ? ['agent', actor.agent] : workload ? null : ['client', actor.client],
    revocable: [
      ['token', claims.tokenId],
      ['session', session],
      ['client', actor.client],
      ['subject', actor.subject],
      // The current actor only: earlier ones are history and decide nothing (RFC 8693 §4.1).
      ...(actor.agent === null ? [] : [['agent', actor.agent] as const]),
      ['server', server],
      ...(operation.kind === 'tool_call' ? [['tool', `${server}/${operation.tool}`] as const] : []),
      ['issuer', actor.issuer],
      ['tenant', actor.tenant],
    ],
    listed: operation.kind === 'listing' ? server : null,
  }
}

export function requestOf(
  actor: Actor,
  claims: Claims,
  operation: Operation,
  server: string,
  now: number,
): EvaluationRequest {
  const call = operation.kind === 'tool_call' ? operation : null
  return {
    subject: {
      type: isWorkload(actor) ? 'workload' : 'user',
      id: actor.subject,
      properties: {
        tenant: actor.tenant,
        issuer: actor.issuer,
        client: actor.client,
        agent: actor.agent,
        actorChain: claims.actorChain,
        tokenId: claims.tokenId,
        scopes: claims.scopes,
      },
    },
    action: { name: operation.method },
    resource: {
      type: call === null ? 'mcp_server' : 'tool',
      id: call?.tool ?? server,
      properties: { server },
    },
    context: { arguments: call?.arguments ?? null, now },
  }
}

/** The same question about a tool that is only listed: its arguments are not known yet. */
export const listingRequest = (request: EvaluationRequest, tool: string): EvaluationRequest => ({
  ...request,
  action: { name: 'tools/call' },
  resource: { ...request.resource, type: 'tool', id: tool },
  context: { ...request.context, arguments: null },
})

export function factsOf(fresh: FreshFacts, server: CompiledServer, tool: ToolFacts | null): Facts {
  return {
    revision: fresh.revision ?? '',
    tenantActive: fresh.tenantActive,
    callsPerMinute: fresh.callsPerMinute,
    server: server.facts,
    clientActive: fresh.clientActive,
    agentActive: fresh.agentActive,
    subjectRoles: fresh.subjectRoles,
    agentRoles: fresh.agentRoles,
    revocations: fresh.revocations,
    tool,
  }
}
