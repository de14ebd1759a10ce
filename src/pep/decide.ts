import type { SessionStep } from '../durable-objects/session-protocol.ts'
import type { Operation } from '../mcp/operation.ts'
import { evaluate } from '../pdp/evaluate.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import { labelsOfCall } from '../pdp/tools.ts'
import { err, ok, type Result } from '../result.ts'
import type { FactKeys } from '../storage/facts.ts'
import type { Background, Doors } from './doors.ts'
import { identifyBy, unavailable, type Caller } from './identify.ts'
import {
  actorOf,
  factKeysOf,
  factsOf,
  listingRequest,
  requestOf,
  sessionKeyOf,
} from './question.ts'
import type { Received } from './receive.ts'
import {
  argumentsKeyOf,
  MAX_ADMITTED_INPUTS,
  MAX_REFUSED_INPUTS,
  stepOf,
  type Recorded,
} from './record.ts'
import type { Refusal } from './refusal.ts'
import { SessionGate } from './session-gate.ts'

/** Leave for one operation, given now and good for nothing else. */
export interface Permit {
  readonly decision: string
  readonly tenant: string
  readonly operation: Operation
  readonly upstream: URL
  readonly session: SessionGate
  /** Whether a listing may show this tool: the same gates, up to the policies. */
  readonly maySee: (tool: string) => boolean
}

/** A refusal that was recorded names its record. */
export interface Refused {
  readonly refusal: Refusal
  readonly decision: string | null
}

/** From the reading of the facts to the first byte upstream; older facts are read again. */
const MAX_FACTS_AGE_MS = 500
const MAX_ATTEMPTS = 3

/**
 * Door two: facts, policies, then the history, which has the last word and records in the same step.
 *
 * INVARIANT: every question that was evaluated is in its session, admitted or noted as a denial, and
 * without a session's answer there is no permit.
 */
export async function decide(
  received: Received,
  caller: Caller,
  operation: Operation,
  doors: Doors,
  background: Background,
): Promise<Result<Permit, Refused>> {
  const actor = actorOf(caller.claims)
  const sessionKey = await sessionKeyOf(actor)
  const call: Call = {
    received,
    caller,
    operation,
    doors,
    actor,
    sessionKey,
    server: received.server,
    session: new SessionGate(doors.sessions, sessionKey),
    keys: factKeysOf(actor, caller.claims, sessionKey, received.server, operation),
    argumentsKey: operation.kind === 'tool_call' ? await argumentsKeyOf(operation.arguments) : '',
  }
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    // INVARIANT: one decision is made by one state. An attempt that took too long ends as a call
    // that was never sent, and the next one is another decision.
    const decision = crypto.randomUUID()
    const notSent = (detail: string) =>
      call.session.settle(actor.tenant, decision, 'failed', detail)
    const attempted = await attemptDecision(call, decision)
    if (!attempted.ok) {
      // Without an answer it may have been admitted all the same: it must not stay pending.
      const unanswered = attempted.error.refusal.reason === 'session_unavailable'
      if (unanswered) background(notSent('admission unanswered'))
      return attempted
    }
    if (Date.now() - attempted.value.readAt <= MAX_FACTS_AGE_MS) return ok(attempted.value.permit)
    await notSent('facts too old')
  }
  return unrecorded({ at: 'decide', reason: 'facts_unavailable' })
}

/** What stays the same however often the facts have to be read. */
interface Call extends Recorded {
  readonly received: Received
  readonly caller: Caller
  readonly doors: Doors
  readonly session: SessionGate
  readonly keys: FactKeys
}

interface Attempt {
  readonly permit: Permit
  readonly readAt: number
}

async function attemptDecision(call: Call, decision: string): Promise<Result<Attempt, Refused>> {
  const { received, caller, operation, doors, actor, session } = call
  const gathered = await doors.policies.gather(call.keys, caller.compiled)
  if (!gathered.ok) return unrecorded(unavailable(gathered.error))
  const { compiled, facts: fresh, readAt } = gathered.value
  if (compiled !== caller.compiled) {
    // The rows that let this token in have moved on: door one once more, by the new ones.
    const again = await identifyBy(compiled, received, doors)
    if (!again.ok) return unrecorded(again.error)
  }
  const server = compiled.servers.get(received.server)
  if (server === undefined) return unrecorded({ at: 'receive', reason: 'server_unknown' })
  const tool = operation.kind === 'tool_call' ? server.tools.find(operation.tool) : null
  const facts = factsOf(fresh, server, tool)
  const request = requestOf(actor, caller.claims, operation, server.facts.name, readAt)
  const { refusal, matches } = evaluate(request, compiled.policies, facts)
  if (refusal !== null) {
    const step = stepOf(call, decision, { request, facts, matches }, MAX_REFUSED_INPUTS)
    return recorded(session, step, refusal)
  }
  const step = stepOf(call, decision, { request, facts, matches }, MAX_ADMITTED_INPUTS)
  const { revision } = compiled
  const admission = await session.admit(
    { ...step, labels: labelsOfCall(facts), revision },
    compiled,
  )
  if (!admission.ok) return unrecorded(admission.error)
  if (admission.value.kind === 'refused') {
    return err({ refusal: admission.value.refusal, decision: admission.value.decision })
  }
  const maySee = (name: string): boolean => {
    if (fresh.revokedTools.has(`${received.server}/${name}`)) return false
    const listed = { ...facts, tool: server.tools.find(name) }
    return evaluate(listingRequest(request, name), compiled.policies, listed).refusal === null
  }
  const { tenant } = actor
  return ok({
    permit: { decision, tenant, operation, upstream: server.url, session, maySee },
    readAt,
  })
}

async function recorded(
  session: SessionGate,
  step: SessionStep,
  refusal: DecisionRefusal,
): Promise<Result<never, Refused>> {
  const noted = await session.noteDenial({ ...step, refusal })
  return noted.ok
    ? err({ refusal: noted.value.refusal, decision: noted.value.decision })
    : unrecorded(noted.error)
}

export const unrecorded = (refusal: Refusal) => err({ refusal, decision: null } as const)
