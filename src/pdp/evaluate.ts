// Pure. Door two up to the sequence rules: its gates in their order, each with its own refusal.
// The same function serves the Worker, the commands and the replay of recorded decisions.
import { judgePolicies } from './policies.ts'
import type { PolicySet } from './policy.ts'
import type { Actor, Evaluation, EvaluationRequest, Facts } from './evaluation.ts'
import type { DecisionRefusal } from './refusal.ts'

/** Default deny: the only way to `refusal: null` leads through every gate. */
export function evaluate(
  request: EvaluationRequest,
  policies: PolicySet,
  facts: Facts,
): Evaluation {
  const actor = actorOf(request)
  const gate =
    revoked(facts) ?? inactive(actor, facts) ?? unknownTool(request, facts) ?? scope(request, facts)
  if (gate !== null) return { refusal: gate, matches: [] }
  // Protocol steps and listings touch nothing that a policy could speak of. What a listing shows is
  // asked tool by tool, with this same function.
  if (request.resource.type === 'mcp_server') return { refusal: null, matches: [] }
  return judgePolicies(actor, request, policies, facts)
}

export function actorOf(request: EvaluationRequest): Actor {
  const { id, properties } = request.subject
  return {
    tenant: properties.tenant,
    issuer: properties.issuer,
    subject: id,
    client: properties.client,
    agent: properties.agent,
  }
}

/** The facts hold only revocations that name something of this call: any one of them ends it. */
function revoked(facts: Facts): DecisionRefusal | null {
  const first = facts.revocations[0]
  return first === undefined ? null : { at: 'decide', reason: 'revoked', kind: first.kind }
}

function inactive(actor: Actor, facts: Facts): DecisionRefusal | null {
  if (!facts.tenantActive) return { at: 'decide', reason: 'tenant_inactive' }
  if (!facts.server.active) return { at: 'decide', reason: 'server_inactive' }
  if (facts.clientActive === null) return { at: 'decide', reason: 'client_unknown' }
  if (!facts.clientActive) return { at: 'decide', reason: 'client_inactive' }
  if (actor.agent === null) return null
  if (facts.agentActive === null) return { at: 'decide', reason: 'agent_unknown' }
  if (!facts.agentActive) return { at: 'decide', reason: 'agent_inactive' }
  return null
}

function unknownTool(request: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  return request.resource.type === 'tool' && facts.tool === null
    ? { at: 'decide', reason: 'tool_unknown', tool: request.resource.id }
    : null
}

/** The coarse first gate: a scope is never a permission, its absence is always a no. */
function scope(request: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  const needed = [
    ...new Set([...facts.server.requiredScopes, ...(facts.tool?.requiredScopes ?? [])]),
  ]
  const granted = new Set(request.subject.properties.scopes)
  return needed.every((one) => granted.has(one))
    ? null
    : { at: 'decide', reason: 'insufficient_scope', scopes: needed }
}
