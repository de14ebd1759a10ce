import { partsOf } from '../mcp/result-parts.ts'
import type { JsonObject } from '../mcp/value.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import { resourcesInResult } from '../pdp/resources.ts'
import { taskOf } from '../pdp/task.ts'
import type { Refused } from './decide.ts'
import { judgeSeen, type Judged } from './judge.ts'
import type { Admitted } from './permit.ts'
import { MAX_REFUSED_INPUTS, stepOf } from './record.ts'

export interface ResultAnswer {
  /** null: it may be shown. */
  readonly refused: Refused | null
  /** Why it would have been withheld if what only watches were enforced, or null. */
  readonly wouldBe: string | null
  /** What the resources that it names carry. */
  readonly labels: readonly string[]
}

/**
 * A result is decided like a call: by the rows as they are now, with what it holds among the targets.
 * A refusal of a result is a decision of its own.
 *
 * INVARIANT: what could not be looked up does not reach the client.
 */
export async function decideResult(
  { question, doors, background, session, argumentsKey }: Admitted,
  decision: string,
  earlier: Judged,
  result: JsonObject | null,
): Promise<ResultAnswer> {
  const { compiled, server } = earlier
  const fields = server.tools.fields(question.tool ?? '').results
  const read = resourcesInResult(fields, result === null ? [undefined] : partsOf(result))
  const named = read.kind === 'named' ? read.resources : []
  const underTask = taskOf(question.actor, earlier.request, earlier.facts).task?.id ?? null
  const again = { ...question, underTask }
  const judged = await judgeSeen(again, compiled, doors, background, named)
  if (!judged.ok) return undecided(decision)
  const { request, facts, matches, wouldBe } = judged.value
  const because: DecisionRefusal | null =
    judged.value.refusal ??
    (read.kind === 'named' ? null : { at: 'decide', reason: 'target_unreadable', pointer: null })
  if (because === null) {
    const labels = facts.targets.flatMap(({ from, row }) =>
      from === 'result' ? (row?.labels ?? []) : [],
    )
    return { refused: null, wouldBe: wouldBe?.refusal?.reason ?? null, labels }
  }
  const refusal = { at: 'decide', reason: 'result_withheld', because } as const
  const inputs = { request, facts, matches, wouldBe, resultOf: decision }
  const own = crypto.randomUUID()
  const step = stepOf(question, own, inputs, argumentsKey, MAX_REFUSED_INPUTS)
  const noted = await session.noteDenial({ ...step, refusal })
  return noted.ok
    ? { refused: { refusal, decision: noted.value.decision }, wouldBe: null, labels: [] }
    : undecided(decision)
}

/** INVARIANT: nothing invites to repeat a call that the upstream has acted on. */
export const undecided = (decision: string): ResultAnswer => ({
  refused: { refusal: { at: 'forward', reason: 'result_undecided' }, decision },
  wouldBe: null,
  labels: [],
})
