// Pure. The gates of door two before the policies, in their order, each with its own refusal. A new
// gate is a function and a line in GATES.
import { coverageOf } from './authorization-details.ts'
import { consentState } from './consent.ts'
import type { Actor, EvaluationRequest, Facts } from './evaluation.ts'
import { isWorkload } from './evaluation.ts'
import type { DecisionRefusal } from './refusal.ts'
import { signalGate } from './signals.ts'
import { endsStream, outsideOf, taskOf } from './task.ts'

type Gate = (actor: Actor, request: EvaluationRequest, facts: Facts) => DecisionRefusal | null

export const GATES: readonly Gate[] = [
  revoked,
  tenant,
  client,
  delegate,
  agent,
  tool,
  definition,
  targets,
  consent,
  scope,
  signalGate,
  authorization,
  task,
]

/**
 * What has to go on holding for as long as a credential lives that was made for one call. Arguments
 * are not known any more; what hangs on them was decided once.
 */
export const STANDING: readonly Gate[] = [
  revoked,
  tenant,
  client,
  delegate,
  agent,
  tool,
  consent,
  signalGate,
]

/**
 * INVARIANT: what a server under observation still enforces: door one, what was taken back or
 * switched off by a person, and the borders between tenants. All else is written down.
 */
export const ENFORCED_ALWAYS: ReadonlySet<DecisionRefusal['reason']> = new Set([
  'revoked',
  'tenant_inactive',
  'server_inactive',
  'client_inactive',
  'client_not_delegate',
  'agent_inactive',
  'target_unreadable',
  'target_of_another_tenant',
  'task_ended',
])

/** A definition that nobody has seen for longer is looked at again before a call. */
export const DEFINITION_SEEN_WITHIN_MS = 10 * 60_000

/** The facts hold only revocations that name something of this call: any one of them ends it. */
function revoked(actor: Actor, request: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  // What a later token would not be touched by is said last: it is the one that the client can cure.
  const { revocations } = facts
  const named = revocations.find((row) => row.issuedBefore === undefined) ?? revocations[0]
  if (named?.issuedBefore !== undefined) {
    return { at: 'decide', reason: 'revoked', kind: named.kind, olderTokens: true }
  }
  const kind =
    named?.kind ??
    (taskOf(actor, request, facts).candidates.some((task) => task.revokedAt !== null)
      ? 'task'
      : undefined)
  return kind === undefined ? null : { at: 'decide', reason: 'revoked', kind }
}

function tenant(_: Actor, __: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  if (!facts.tenantActive) return { at: 'decide', reason: 'tenant_inactive' }
  return facts.server.active ? null : { at: 'decide', reason: 'server_inactive' }
}

function client(_: Actor, __: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  if (facts.clientActive === null) return { at: 'decide', reason: 'client_unknown' }
  return facts.clientActive ? null : { at: 'decide', reason: 'client_inactive' }
}

/** INVARIANT: software that is trusted as itself never acts for a person, whatever its token says. */
function delegate(actor: Actor, _: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  return facts.clientActsForUsers || isWorkload(actor)
    ? null
    : { at: 'decide', reason: 'client_not_delegate' }
}

function agent(actor: Actor, _: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  if (actor.agent === null) return null
  if (facts.agentActive === null) return { at: 'decide', reason: 'agent_unknown' }
  return facts.agentActive ? null : { at: 'decide', reason: 'agent_inactive' }
}

function tool(_: Actor, request: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  return request.resource.type === 'tool' && facts.tool === null
    ? { at: 'decide', reason: 'tool_unknown', tool: request.resource.id }
    : null
}

/**
 * INVARIANT: a pinned tool is what it was pinned as in every listing that anybody was given since,
 * and one of them is recent. A sighting that was compared with another pin says nothing.
 */
function definition(_: Actor, request: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  const pinned = facts.tool
  if (pinned === null || pinned.pin === null) return null
  const { hash, pinnedAt } = pinned.pin
  const seen = facts.sighting?.hash === hash ? facts.sighting : null
  if (seen !== null && seen.differedAt !== null && seen.differedAt >= pinnedAt) {
    return { at: 'decide', reason: 'tool_changed', tool: pinned.name }
  }
  const matchedAt = seen?.matchedAt ?? null
  return matchedAt !== null &&
    matchedAt >= pinnedAt &&
    request.context.now - matchedAt <= DEFINITION_SEEN_WITHIN_MS
    ? null
    : { at: 'decide', reason: 'tool_unverified', tool: pinned.name }
}

/** What may mean anything may mean what is out of reach. */
function targets(_: Actor, __: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  if (facts.unreadable === null) return null
  const pointer = facts.unreadable.kind === 'not_a_name' ? facts.unreadable.pointer : null
  return { at: 'decide', reason: 'target_unreadable', pointer }
}

/**
 * INVARIANT: what belongs to another tenant is out of reach, whatever the policies say. Asked last: a
 * call that would be refused anyway is refused as if nobody had listed what it names.
 */
export const border = ({ targets: named }: Facts): DecisionRefusal | null =>
  named.some(({ foreign }) => foreign) ? { at: 'decide', reason: 'target_of_another_tenant' } : null

/** A workload acts for nobody who could consent. */
function consent(actor: Actor, request: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  if (!facts.server.consentRequired || facts.tool === null || isWorkload(actor)) return null
  const state = consentState(facts.tool, facts.consents, request.context.now)
  const { name, access } = facts.tool
  return state === 'given'
    ? null
    : {
        at: 'decide',
        reason: 'consent_required',
        state,
        client: actor.client,
        server: facts.server.name,
        tool: name,
        access,
      }
}

/** All that the call needs, so that a client that asks for a token asks once. */
export const scopesOfCall = ({ server, tool: called }: Facts): readonly string[] => [
  ...new Set([...server.requiredScopes, ...(called?.requiredScopes ?? [])]),
]

/** The coarse first gate: a scope is never a permission, its absence is always a no. */
function scope(actor: Actor, request: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  const needed = scopesOfCall(facts)
  const granted = new Set(request.subject.properties.scopes)
  if (needed.every((one) => granted.has(one))) return null
  const reason = ofTrustDomain(actor) ? 'workload_without_scopes' : 'insufficient_scope'
  return { at: 'decide', reason, scopes: needed }
}

/** SPIFFE and WIMSE name a workload and grant it nothing; rows of no other kind have such a url. */
const ofTrustDomain = ({ issuer }: Actor): boolean => /^(?:spiffe|wimse):\/\//.test(issuer)

/** What was granted in detail is a bound on every call, and of a listing on what it shows. */
function authorization(_: Actor, request: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  if (facts.tool === null) return null
  const coverage = coverageOf(request.subject.properties.authorizationDetails, {
    resources: facts.server.resources,
    tool: facts.tool,
    targets: request.context.arguments === null ? null : facts.targets,
  })
  return coverage === 'covered'
    ? null
    : { at: 'decide', reason: 'outside_authorization', fault: coverage }
}

/** A task only narrows; where the call belongs to none, policies may still ask for one. */
function task(actor: Actor, request: EvaluationRequest, facts: Facts): DecisionRefusal | null {
  const { task: own, refusal } = taskOf(actor, request, facts)
  if (facts.tool === null) return endsStream(request, refusal) ? refusal : null
  if (own === null) return refusal
  const bound = outsideOf(own, facts.server.name, facts.tool, facts.targets)
  return bound === null ? null : { at: 'decide', reason: 'outside_task', task: own.id, bound }
}
