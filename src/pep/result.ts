import { partsOf } from '../mcp/result-parts.ts'
import type { JsonObject } from '../mcp/value.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import { resourcesInResult } from '../pdp/resources.ts'
import type { Refused } from './decide.ts'
import { judgeSeen, type Judged } from './judge.ts'
import type { Admitted } from './permit.ts'
import { MAX_REFUSED_INPUTS, stepOf, type Inputs } from './record.ts'
import { underTask } from './under-task.ts'

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
  call: Admitted,
  decision: string,
  earlier: Judged,
  result: JsonObject | null,
): Promise<ResultAnswer> {
  const { question, doors, background } = call
  const { compiled, server } = earlier
  const fields = server.tools.fields(question.tool ?? '').results
  const read = resourcesInResult(fields, result === null ? [undefined] : partsOf(result))
  const named = read.kind === 'named' ? read.resources : []
  const again = underTask(question, earlier)
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
  const refused = await noteWithheld(call, decision, { request, facts, matches, wouldBe }, because)
  return { refused, wouldBe: null, labels: [] }
}

type Withholding = Pick<Admitted, 'question' | 'session' | 'argumentsKey'>

/** What came back is not for this client, by the rows as they were for the call. */
export const withhold = (
  call: Withholding,
  decision: string,
  { request, facts, matches, wouldBe }: Judged,
  because: DecisionRefusal,
): Promise<Refused> => noteWithheld(call, decision, { request, facts, matches, wouldBe }, because)

/** A decision of its own, that names the call whose result it is about. */
async function noteWithheld(
  { question, session, argumentsKey }: Withholding,
  decision: string,
  inputs: Inputs,
  because: DecisionRefusal,
): Promise<Refused> {
  const refusal = { at: 'decide', reason: 'result_withheld', because } as const
  const own = crypto.randomUUID()
  const whole = { ...inputs, resultOf: decision }
  const step = stepOf(question, own, whole, argumentsKey, MAX_REFUSED_INPUTS)
  const noted = await session.noteDenial({ ...step, refusal })
  return noted.ok ? { refusal, decision: noted.value.decision } : undecided(decision).refused
}

/** INVARIANT: nothing invites to repeat a call that the upstream has acted on. */
export const undecided = (decision: string): ResultAnswer & { readonly refused: Refused } => ({
  refused: { refusal: { at: 'forward', reason: 'result_undecided' }, decision },
  wouldBe: null,
  labels: [],
})
