import { err, ok, type Result } from '../../result.ts'
import { actorOf } from '../../pdp/evaluate.ts'
import { readDeclaration } from '../../pdp/task.ts'
import type { CompiledTenant } from '../../storage/compiled.ts'
import { stateOf } from '../../storage/freshness.ts'
import type { Asked, Attempt, Call, Refused } from '../decide.ts'
import { identifyBy } from '../identify.ts'
import { judgeSeen, type Judged } from '../judge.ts'
import type { Refusal } from '../refusal.ts'
import { undecided, withhold } from '../result.ts'

/** Whether what was allowed still is. */
export interface Standing {
  /** Of the rows that it was last decided by. */
  readonly state: string
  /** Epoch ms: from then on it has to be decided again, whatever the rows say. */
  readonly until: number
  /** Epoch ms: the token's own end. */
  readonly tokenUntil: number
  /** Decides again. The error is what the client is told in place of what it waits for. */
  readonly again: () => Promise<Result<null, Refused>>
}

/** However little changes: conditions may read the clock. */
const AT_LEAST_EVERY_MS = 30_000

/**
 * An operation that is still open, decided again: all gates and policies, by the rows as they are now,
 * and door one where the rows that let the token in have moved. The history is not asked again.
 */
export class Judgement implements Standing {
  readonly #call: Call
  readonly #decision: string
  readonly #decidedAt = Date.now()
  #state: string
  #until: number
  /** The rows that door one was asked by last. */
  #compiled: CompiledTenant

  constructor(call: Call, { decision, judged }: Attempt) {
    this.#call = call
    this.#decision = decision
    this.#state = judged.fresh.state
    this.#compiled = judged.compiled
    this.#until = endOf(judged)
  }

  get state(): string {
    return this.#state
  }

  get until(): number {
    return Math.min(this.#until, this.tokenUntil)
  }

  get tokenUntil(): number {
    return this.#call.caller.claims.expiresAt * 1000
  }

  async again(): Promise<Result<null, Refused>> {
    const judged: Judged[] = []
    for (const asked of this.#call.asked) {
      // Each by the rows as they are when it is asked.
      // oxlint-disable-next-line no-await-in-loop
      const one = await this.#judge(asked)
      if (!one.ok) return one
      judged.push(one.value)
    }
    const [first] = judged
    // What moved while the others were judged is noticed at the next look.
    this.#state = first?.fresh.state ?? stateOf('', '')
    this.#until = Math.min(...judged.map(endOf))
    return ok(null)
  }

  async #judge({ question, refusal, argumentsKey }: Asked): Promise<Result<Judged, Refused>> {
    const { received, doors, background } = this.#call
    const judged = await judgeSeen(question, this.#compiled, doors, background)
    if (!judged.ok) return this.#unreadable(judged.error)
    if (judged.value.compiled !== this.#compiled) {
      // Proofs of possession were made for the moment of the request, so that is the time that counts.
      const { compiled } = judged.value
      const known = await identifyBy(compiled, received, doors, this.#decidedAt)
      if (!known.ok) return this.#unreadable(known.error)
      this.#compiled = compiled
    }
    const because = judged.value.refusal ?? refusal
    if (because === null) return judged
    const call = { ...this.#call, question, argumentsKey }
    return err(await withhold(call, this.#decision, judged.value, because))
  }

  /** INVARIANT: it fails closed, and nothing in it invites to repeat what the upstream acted on. */
  #unreadable(refusal: Refusal): Result<never, Refused> {
    console.warn('what is open could not be allowed again', refusal.reason)
    return err(undecided(this.#decision).refused)
  }
}

/** When something that the decision rests on ends by itself. */
function endOf({ request, facts, fresh, readAt }: Judged): number {
  const ends = [
    // One that the token declares is no row.
    readDeclaration(actorOf(request), request)?.task.expiresAt ?? null,
    ...[...facts.subjectRoles, ...facts.agentRoles, ...facts.consents].map(
      ({ expiresAt }) => expiresAt,
    ),
    ...fresh.tasks.map(({ expiresAt }) => expiresAt),
  ]
  const ahead = ends.filter((at) => at !== null && at > readAt) as number[]
  return Math.min(readAt + AT_LEAST_EVERY_MS, ...ahead)
}
