import type { Operation } from '../mcp/operation.ts'
import type { JsonValue } from '../mcp/value.ts'
import type { McpSession, SessionClaim } from '../durable-objects/mcp-protocol.ts'
import type { Possession, Recalled } from '../durable-objects/session-protocol.ts'
import { isObserved } from '../pdp/evaluate.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import { actorKeyOf, sessionKeyOf } from '../question/history-keys.ts'
import { actorOf, questionOf, type Question } from '../question/question.ts'
import { err, ok, type Result } from '../result.ts'
import type { CompiledServer } from '../storage/compiled.ts'
import { carrying } from './credential-for.ts'
import type { Background, Doors } from './doors.ts'
import { flowOf } from './flow.ts'
import { identifyBy, type Caller } from './identify.ts'
import { judgeSeen, type Judged } from './judge.ts'
import { networkOf } from './network.ts'
import { permitOf, type Permit } from './permit.ts'
import { mattersOf, recallOf, type Matters, type Part } from './matters.ts'
import type { Received } from './receive.ts'
import { argumentsKeyOf, MAX_ADMITTED_INPUTS, MAX_REFUSED_INPUTS, stepOf } from './record.ts'
import type { Refusal } from './refusal.ts'
import { SessionGate } from './session-gate.ts'
import { openOf, type OpenPermit } from './streams/open.ts'
import { sessionClaimOf } from './streams/understand.ts'
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
 * without a session's answer there is no permit. What touches several things asks as many questions,
 * and goes nowhere unless all of them are allowed.
 */
export async function decide(
  received: Received,
  caller: Caller,
  operation: Operation,
  doors: Doors,
  background: Background,
): Promise<Result<OpenPermit, Refused>> {
  const id = crypto.randomUUID()
  let asked = await callOf(id, received, caller, operation, doors, background)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    // INVARIANT: one decision is made by one state. An attempt that took too long ends as a call
    // that was never sent, and the next one is another decision.
    if (!asked.ok) return asked
    const call = asked.value
    const attempted = await attemptAll(call)
    if (!attempted.ok) {
      const { error } = attempted
      if (!('moved' in error)) return err(error)
      // By the new rows the token says something else (docs/issuers.md), so it is another question.
      asked = await callOf(id, received, error.moved, operation, doors, background)
      continue
    }
    const [first, ...others] = attempted.value
    if (Date.now() - Math.min(...attempted.value.map(({ readAt }) => readAt)) <= MAX_FACTS_AGE_MS) {
      return ok({ ...first.permit(others), open: openOf(call, attempted.value) })
    }
    await notSent(call, attempted.value, 'facts too old')
  }
  return unrecorded({ at: 'decide', reason: 'facts_unavailable' })
}

/** What stays the same however often the facts have to be read. */
export interface Call {
  /** Of the request: one, however many decisions it takes. */
  readonly id: string
  readonly received: Received
  readonly caller: Caller
  readonly operation: Operation
  readonly doors: Doors
  readonly background: Background
  readonly session: SessionGate
  readonly matters: Matters
  readonly recalled: Recalled
  readonly asked: readonly [Asked, ...Asked[]]
  /** What the request says of its legacy session. */
  readonly claim: SessionClaim | null
}

/** One question of the call. */
export interface Asked {
  readonly question: Question
  readonly refusal: DecisionRefusal | null
  readonly argumentsKey: string
}

async function callOf(
  id: string,
  received: Received,
  caller: Caller,
  operation: Operation,
  doors: Doors,
  background: Background,
): Promise<Result<Call, Refused>> {
  const actor = actorOf(caller.claims)
  const key = await sessionKeyOf(actor)
  const session = new SessionGate(doors.sessions, key)
  const place = { actorKey: actorKeyOf(actor), server: received.server }
  const recall = recallOf(operation)
  const recalled = recall === null ? NOTHING : await session.recall({ ...recall, ...place })
  if (recalled === null) return unrecorded({ at: 'decide', reason: 'session_unavailable' })
  const matters = await mattersOf(operation, received.message, recalled, place)
  const network = networkOf(received.request)
  const taskHandle = await shownHandle(received.request.headers)
  const askedOf = async ({ matter, refusal }: Part): Promise<Asked> => ({
    question: {
      ...(await questionOf(caller.claims, received.server, operation, matter, network, key)),
      taskHandle,
    },
    refusal,
    argumentsKey: matter.arguments === null ? '' : await argumentsKeyOf(matter.arguments),
  })
  const [first, ...others] = matters.parts
  const asked = [await askedOf(first), ...(await Promise.all(others.map(askedOf)))] as const
  return ok({
    id,
    received,
    caller,
    operation,
    doors,
    background,
    session,
    matters,
    recalled,
    asked,
    claim: sessionClaimOf(operation, received),
  })
}

const NOTHING: Recalled = { tasks: [], state: null }

export interface Attempt {
  readonly decision: string
  /** Made from the first part, with what the others came to. */
  readonly permit: (others: readonly Attempt[]) => Permit
  readonly readAt: number
  readonly judged: Judged
  readonly mcp: McpSession | null
}

/** The rows moved while door two was asked, and by the new ones door one hears somebody else. */
interface CallerMoved {
  readonly moved: Caller
}

/** One after the other: what was asked first is in the history when the next is asked. */
async function attemptAll(
  call: Call,
): Promise<Result<[Attempt, ...Attempt[]], Refused | CallerMoved>> {
  const admitted: Attempt[] = []
  for (const asked of call.asked) {
    const decision = crypto.randomUUID()
    // oxlint-disable-next-line no-await-in-loop
    const attempted = await attemptDecision(call, asked, decision)
    if (!attempted.ok) {
      // Without an answer it may have been admitted all the same: it must not stay pending.
      const unanswered =
        'refusal' in attempted.error && attempted.error.refusal.reason === 'session_unavailable'
      if (unanswered) call.background(notSent(call, [{ decision }], 'admission unanswered'))
      if (admitted.length > 0) call.background(notSent(call, admitted, 'another part was refused'))
      return attempted
    }
    admitted.push(attempted.value)
  }
  return ok(admitted as [Attempt, ...Attempt[]])
}

async function notSent(
  { session, asked: [{ question }] }: Call,
  decisions: readonly Pick<Attempt, 'decision'>[],
  detail: string,
): Promise<void> {
  const { tenant } = question.actor
  await Promise.all(
    decisions.map(({ decision }) => session.settle(tenant, decision, 'failed', detail)),
  )
}

async function attemptDecision(
  call: Call,
  asked: Asked,
  decision: string,
  waited = false,
): Promise<Result<Attempt, Refused | CallerMoved>> {
  const { received, caller, doors, background, session } = call
  const { question, refusal: ofNoRow, argumentsKey } = asked
  const isFirst = asked === call.asked[0]
  const judged = await judgeSeen(question, caller.compiled, doors, background)
  if (!judged.ok) return unrecorded(judged.error)
  const { request, facts, matches, wouldBe, compiled, readAt } = judged.value
  const refusal = judged.value.refusal ?? ofNoRow
  if (compiled !== caller.compiled) {
    // The rows that let this token in have moved on: door one once more, by the new ones.
    const again = await identifyBy(compiled, received, doors)
    if (!again.ok) return unrecorded(again.error)
    if (!isSameCaller(again.value, caller)) return err({ moved: again.value })
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
  const carry = carrying(question, decision, judged.value, call)
  // One for the request, however many parts it has.
  const made = isFirst ? await carry(messageOf(call)) : ok(null)
  if (!made.ok) return unrecorded(made.error)
  const carried = made.value
  // Nothing is recorded yet, so facts that aged while somebody else was asked are simply read again.
  if (Date.now() - readAt > MAX_FACTS_AGE_MS && !waited) {
    return attemptDecision(call, asked, decision, true)
  }
  // Read for the rules over history only: what is refused before them is not worth the work.
  const flow = flowOf(question, judged.value)
  const { ownDomains } = flow
  const all = {
    ...inputs,
    asked: { ...flow.asked, ownDomains },
    ...(carried === null ? {} : { credential: carried.record }),
  }
  const admission = await session.admit(
    {
      ...stepOf(question, decision, all, argumentsKey, MAX_ADMITTED_INPUTS),
      possession,
      flow,
      observed: isObserved(facts, readAt),
      // Once for the request, however many parts it has.
      ...(call.claim === null || !isFirst ? {} : { mcp: call.claim }),
    },
    compiled,
  )
  if (!admission.ok) return unrecorded(admission.error)
  if (admission.value.kind === 'refused') {
    return err({ refusal: admission.value.refusal, decision: admission.value.decision })
  }
  const { nonce = null, mcp = null } = admission.value
  const own = { question, argumentsKey, nonce, sent: call.matters.sent, carried, carry, mcp }
  const admitted = { ...call, ...own }
  const permit = (others: readonly Attempt[]): Permit =>
    permitOf(
      admitted,
      decision,
      judged.value,
      flow.labels,
      others.map((other) => other.decision),
    )
  return ok({ decision, permit, readAt, judged: judged.value, mcp })
}

/** As the server gets it. What has no body is known by its HTTP method alone. */
const messageOf = ({ received: { verb, message }, matters: { sent } }: Call): JsonValue =>
  verb === 'POST' ? (sent ?? message) : { method: verb }

const isSameCaller = (one: Caller, other: Caller): boolean =>
  JSON.stringify(one.claims) === JSON.stringify(other.claims)

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
