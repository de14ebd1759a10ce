import { isObserved } from '../pdp/evaluate.ts'
import {
  argumentsKeyOf,
  MAX_ADMITTED_INPUTS,
  MAX_REFUSED_INPUTS,
  stepOf,
  type Inputs,
} from '../pep/record.ts'
import { flowOf } from '../pep/flow.ts'
import { SessionGate } from '../pep/session-gate.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import { err, ok, type Result } from '../result.ts'
import { denial, permit, type Answer } from './answer.ts'
import { judgeMatter, permitContext, refusedHere, type Asking, type Settled } from './decide.ts'
import { stepId } from './question.ts'
import { refusedWith, type DoorRefusal } from './refusal.ts'

/** As at the front door: older facts than this give no leave. */
const MAX_FACTS_AGE_MS = 500
const MAX_ATTEMPTS = 3

/**
 * A call that the caller enforces itself: decided against the subject's history and recorded there,
 * as at the front door. The caller names the step, so that asking again is the same step.
 *
 * INVARIANT: what was admitted under this name is never taken back as `failed`: a repetition is told
 * of the first admission, and must find it counted.
 */
export async function admitCall(asking: Asking, key: string): Promise<Result<Answer, DoorRefusal>> {
  const { caller, matter, doors, background } = asking
  const { tenant } = matter.actor
  const session = new SessionGate(doors.sessions, matter.session)
  const argumentsKey =
    matter.act.arguments === null ? '' : await argumentsKeyOf(matter.act.arguments)
  const decision = await stepId(caller, matter, key)
  const withhold = (detail: string) =>
    background(session.settle(tenant, decision, 'withheld', detail, true))
  let admitted = false
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const settled = await judgeMatter(asking)
    if (!settled.ok) {
      if (admitted) withhold('not confirmed in time')
      return settled
    }
    const { judged } = settled.value
    const own = refusedHere(matter, judged)
    if (admitted && (own !== null || judged.refusal !== null)) withhold('changed meanwhile')
    if (own !== null) return ok(own)
    if (judged.refusal !== null) {
      return noteDenial(asking, settled.value, judged.refusal, session, key, argumentsKey)
    }
    const { facts, compiled, readAt } = judged
    const step = stepOf(
      settled.value.question,
      decision,
      inputsOf(asking, settled.value),
      argumentsKey,
      MAX_ADMITTED_INPUTS,
    )
    const admission = await session.admit(
      {
        ...step,
        flow: flowOf(settled.value.question, judged),
        observed: isObserved(facts, readAt),
      },
      compiled,
    )
    if (!admission.ok) return err(refusedWith(admission.error))
    if (admission.value.kind === 'refused') {
      return ok(denial(admission.value.refusal, admission.value.decision))
    }
    admitted = true
    if (Date.now() - readAt <= MAX_FACTS_AGE_MS) {
      // Whoever enforces it itself shows nobody what came of it.
      background(session.settle(tenant, decision, 'committed', 'asserted', true))
      return ok(permit({ id: decision, ...permitContext(matter, judged) }))
    }
  }
  withhold('not confirmed in time')
  return err(refusedWith({ at: 'decide', reason: 'facts_unavailable' }))
}

/** Under a name of its own: a step that was admitted before and is refused now is both. */
async function noteDenial(
  asking: Asking,
  settled: Settled,
  refusal: DecisionRefusal,
  session: SessionGate,
  key: string,
  argumentsKey: string,
): Promise<Result<Answer, DoorRefusal>> {
  const decision = await stepId(asking.caller, asking.matter, key, JSON.stringify(refusal))
  const inputs = inputsOf(asking, settled)
  const step = stepOf(settled.question, decision, inputs, argumentsKey, MAX_REFUSED_INPUTS)
  const noted = await session.noteDenial({ ...step, refusal })
  return noted.ok
    ? ok(denial(noted.value.refusal, noted.value.decision))
    : err(refusedWith(noted.error))
}

function inputsOf({ caller }: Asking, { judged }: Settled): Inputs {
  const { request, facts, matches, wouldBe } = judged
  return { request, facts, matches, wouldBe, assertedBy: caller.claims.client }
}
