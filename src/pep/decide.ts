import type { Operation } from '../mcp/operation.ts'
import type { Possession } from '../durable-objects/session-protocol.ts'
import { isObserved } from '../pdp/evaluate.ts'
import { err, ok, type Result } from '../result.ts'
import type { CompiledServer } from '../storage/compiled.ts'
import { credentialFor } from './credential-for.ts'
import type { Background, Doors } from './doors.ts'
import { flowOf } from './flow.ts'
import { identifyBy, type Caller } from './identify.ts'
import { judgeSeen } from './judge.ts'
import { networkOf } from './network.ts'
import { permitOf, type Permit } from './permit.ts'
import { questionOf, type Question } from './question.ts'
import type { Received } from './receive.ts'
import { argumentsKeyOf, MAX_ADMITTED_INPUTS, MAX_REFUSED_INPUTS, stepOf } from './record.ts'
import type { Refusal } from './refusal.ts'
import { SessionGate } from './session-gate.ts'
import { shownHandle } from './task-handle.ts'

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
 * INVARIANT: every question that was answered is in its session, admitted or noted as a denial, and
 * without a session's answer there is no permit.
 */
export async function decide(
  received: Received,
  caller: Caller,
  operation: Operation,
  doors: Doors,
  background: Background,
): Promise<Result<Permit, Refused>> {
  const network = networkOf(received.request)
  const question = {
    ...(await questionOf(caller.claims, received.server, operation, network)),
    taskHandle: await shownHandle(received.request.headers),
  }
  const call: Call = {
    id: crypto.randomUUID(),
    received,
    caller,
    operation,
    doors,
    background,
    question,
    session: new SessionGate(doors.sessions, question.session),
    argumentsKey: operation.kind === 'tool_call' ? await argumentsKeyOf(operation.arguments) : '',
  }
  const { tenant } = question.actor
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    // INVARIANT: one decision is made by one state. An attempt that took too long ends as a call
    // that was never sent, and the next one is another decision.
    const decision = crypto.randomUUID()
    const notSent = (detail: string) => call.session.settle(tenant, decision, 'failed', detail)
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
interface Call {
  /** Of the request: one, however many decisions it takes. */
  readonly id: string
  readonly received: Received
  readonly caller: Caller
  readonly operation: Operation
  readonly doors: Doors
  readonly background: Background
  readonly question: Question
  readonly session: SessionGate
  readonly argumentsKey: string
}

interface Attempt {
  readonly permit: Permit
  readonly readAt: number
}

async function attemptDecision(
  call: Call,
  decision: string,
  waited = false,
): Promise<Result<Attempt, Refused>> {
  const { received, caller, doors, background, question, session, argumentsKey } = call
  const judged = await judgeSeen(question, caller.compiled, doors, background)
  if (!judged.ok) return unrecorded(judged.error)
  const { request, facts, matches, wouldBe, refusal, compiled, readAt } = judged.value
  if (compiled !== caller.compiled) {
    // The rows that let this token in have moved on: door one once more, by the new ones.
    const again = await identifyBy(compiled, received, doors)
    if (!again.ok) return unrecorded(again.error)
    if (!isSameCaller(again.value, caller)) {
      // By the new rows the token says less (docs/issuers.md), so it is another question.
      return attemptDecision(await callBy(again.value, call), decision)
    }
  }
  const inputs = { request, facts, matches, wouldBe }
  const possession = possessionOf(call, judged.value.server)
  if (refusal !== null) {
    const step = stepOf(question, decision, inputs, argumentsKey, MAX_REFUSED_INPUTS)
    const noted = await session.noteDenial({ ...step, possession, refusal })
    return noted.ok
      ? err({ refusal: noted.value.refusal, decision: noted.value.decision })
      : unrecorded(noted.error)
  }
  const carried = await credentialFor(question, decision, judged.value, call)
  if (!carried.ok) return unrecorded(carried.error)
  // Nothing is recorded yet, so facts that aged while somebody else was asked are simply read again.
  if (Date.now() - readAt > MAX_FACTS_AGE_MS && !waited)
    return attemptDecision(call, decision, true)
  // Read for the rules over history only: what is refused before them is not worth the work.
  const flow = flowOf(question, judged.value)
  const { asked, ownDomains } = flow
  const all = { ...inputs, asked: { ...asked, ownDomains }, credential: carried.value.record }
  const admission = await session.admit(
    {
      ...stepOf(question, decision, all, argumentsKey, MAX_ADMITTED_INPUTS),
      possession,
      flow,
      observed: isObserved(facts, readAt),
    },
    compiled,
  )
  if (!admission.ok) return unrecorded(admission.error)
  if (admission.value.kind === 'refused') {
    return err({ refusal: admission.value.refusal, decision: admission.value.decision })
  }
  const { nonce = null } = admission.value
  return ok({
    permit: permitOf(
      { ...call, nonce, carried: carried.value },
      decision,
      judged.value,
      flow.labels,
    ),
    readAt,
  })
}

const isSameCaller = (one: Caller, other: Caller): boolean =>
  JSON.stringify(one.claims) === JSON.stringify(other.claims)

async function callBy(caller: Caller, call: Call): Promise<Call> {
  const { received, operation, question, doors } = call
  const asked = await questionOf(caller.claims, received.server, operation, question.network)
  const session = new SessionGate(doors.sessions, asked.session)
  const { taskHandle } = question
  return { ...call, caller, question: { ...asked, taskHandle }, session }
}

/** Whether a proof was shown before, the subject's session knows. */
function possessionOf({ id, caller }: Call, { dpopNonce }: CompiledServer): Possession | null {
  const { proofs } = caller.claims
  if (proofs.length === 0) return null
  return {
    request: id,
    proofs: proofs.map((proof) => ({ ...proof, nonceNeeded: dpopNonce && proof.kind === 'dpop' })),
  }
}

export const unrecorded = (refusal: Refusal) => err({ refusal, decision: null } as const)
