import { explain } from '../pep/explanation.ts'
import type { Background, Doors } from '../pep/doors.ts'
import { judgeSeen, type Judged } from '../pep/judge.ts'
import type { Refusal } from '../pep/refusal.ts'
import type { Question } from '../question/question.ts'
import { err, ok, type Result } from '../result.ts'
import { denial, ownDenial, permit, type Answer, type AnswerContext } from './answer.ts'
import type { PdpCaller } from './caller.ts'
import { hangsOnArguments, historyMayRefuse, isWatchedOnly } from './history.ts'
import { questionBy, scopesNeeded, type Matter } from './question.ts'
import { refusedWith, type DoorRefusal } from './refusal.ts'

/** What an answer is made with. */
export interface Asking {
  readonly caller: PdpCaller
  readonly matter: Matter
  readonly doors: Doors
  readonly background: Background
}

/** A matter, judged by rows that the caller's token was let in by as well. */
export interface Settled {
  readonly question: Question
  readonly judged: Judged
}

/** How often the rows may move while a question is judged. */
const MAX_READINGS = 3

/**
 * The same judgement as at the front door (`judge`), by one revision for the caller, the scopes and
 * the decision.
 */
export async function judgeMatter(asking: Asking): Promise<Result<Settled, DoorRefusal>> {
  const { caller, matter, doors, background } = asking
  let { compiled } = caller
  for (let reading = 0; reading < MAX_READINGS; reading += 1) {
    const question = questionBy(matter, compiled)
    const judged = await judgeSeen(question, compiled, doors, background)
    if (!judged.ok) return err(doorRefusal(judged.error))
    if (judged.value.compiled === compiled) return ok({ question, judged: judged.value })
    compiled = judged.value.compiled
    const accepted = await caller.stillAcceptedBy(compiled)
    if (!accepted.ok) return err(refusedWith(accepted.error))
  }
  return err(refusedWith({ at: 'decide', reason: 'facts_unavailable' }))
}

/** A server that the tenant does not have is told like one that the caller may not ask about. */
const doorRefusal = (refusal: Refusal): DoorRefusal =>
  refusal.reason === 'server_unknown' ? { kind: 'not_permitted' } : refusedWith(refusal)

/** A question: nothing is admitted, consumed or recorded, and no session is asked. */
export async function answerQuestion(asking: Asking): Promise<Result<Answer, DoorRefusal>> {
  const settled = await judgeMatter(asking)
  if (!settled.ok) return settled
  const { judged } = settled.value
  const own = refusedHere(asking.matter, judged)
  if (own !== null) return ok(own)
  if (judged.refusal !== null) return ok(denial(judged.refusal, null))
  const watched = isWatchedOnly(judged)
  const history = historyMayRefuse(judged)
  if (history && !watched) return ok(ownDenial('history_applies'))
  const wouldBe = watched && history ? { would_be: 'history_applies' } : {}
  return ok(permit({ ...wouldBe, ...permitContext(asking.matter, judged) }))
}

/** What only these doors have to refuse, because a token or a message would have said it. */
export function refusedHere({ act, actor }: Matter, judged: Judged): Answer | null {
  // INVARIANT: by the confirmed rows: an issuer that was switched off is none.
  if (judged.compiled.issuers.get(actor.issuer)?.active !== true) return ownDenial('issuer_unknown')
  if (judged.refusal !== null || isWatchedOnly(judged)) return null
  return act.argumentsUnknown && hangsOnArguments(judged) ? ownDenial('arguments_needed') : null
}

export function permitContext(matter: Matter, { compiled, wouldBe }: Judged): AnswerContext {
  const scopes = matter.person.scopes === null ? scopesNeeded(matter, compiled) : []
  const observed = wouldBe?.by === 'observe' ? wouldBe.refusal : null
  return {
    ...(scopes.length === 0 ? {} : { scopes_needed: scopes }),
    ...(observed === null ? {} : { would_be: explain(observed).code }),
  }
}
