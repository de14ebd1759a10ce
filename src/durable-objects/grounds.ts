import type { Result } from '../result.ts'
import { readState } from '../storage/freshness.ts'
import type { PolicyStore, StoreFault } from '../storage/policy-store.ts'
import {
  CONTEXT_VERSION,
  standingOf,
  type CallContext,
  type EndCause,
} from '../upstream/credentials/context.ts'

/** However little moves: that a stream has fallen silent, no row says. */
const AT_LEAST_EVERY_MS = 30_000

/** Whether what something was let through by still holds. `unknown`: D1 does not say now. */
export type Ground =
  | { readonly kind: 'holds' }
  | { readonly kind: 'ended'; readonly cause: EndCause }
  | { readonly kind: 'unknown' }

/** By what a ground was last found to hold. */
interface Seen {
  readonly state: string
  /** Epoch milliseconds: then it is asked about again, whatever the rows say. */
  readonly until: number
}

/** What is known of the grounds of one subject's tokens and tasks, from one look to the next. */
export class Grounds {
  readonly #policies: PolicyStore
  /** Only what this object found since it woke. */
  #seen: ReadonlyMap<string, Seen> = new Map()

  constructor(policies: PolicyStore) {
    this.#policies = policies
  }

  /** Of what it is not asked about, nothing stays known. */
  look(): GroundsLook {
    const look = new GroundsLook(this.#policies, this.#seen)
    this.#seen = look.seen
    return look
  }
}

/**
 * One look at grounds: where nothing moved it costs one reading for all of them, and otherwise one more
 * for each that is not like another.
 *
 * INVARIANT: nothing that a ground hangs on changes without moving the state of its tenant's rows, but by
 * the clock: a consent or the task ends, an observation is over, a stream is silent. The token's own end
 * is for whoever keeps it to see.
 */
export class GroundsLook {
  readonly #policies: PolicyStore
  readonly #before: ReadonlyMap<string, Seen>
  readonly seen = new Map<string, Seen>()
  /** What this look was told: many calls stand on the same, and that is asked once. */
  readonly #told = new Map<string, Ground>()
  #state: Promise<State> | null = null
  #isSilent = false
  #isDoubted = false

  constructor(policies: PolicyStore, before: ReadonlyMap<string, Seen>) {
    this.#policies = policies
    this.#before = before
  }

  /** From here on nothing is taken for granted that this look did not ask about. */
  doubt(): void {
    this.#isDoubted = true
  }

  async of(context: CallContext): Promise<Ground> {
    const unasked = endedUnasked(context, Date.now())
    if (unasked !== null) return unasked
    const ground = JSON.stringify(context)
    const told = this.#told.get(ground)
    if (told !== undefined) return told
    const before = this.#before.get(ground)
    // It was found by rows of that state, and stays true of them.
    if (before !== undefined) this.seen.set(ground, before)
    // INVARIANT: where nobody says of one, nobody would of the next one either; and that ends nothing.
    if (this.#isSilent) return UNKNOWN
    // One object has one subject, and a subject one tenant.
    const state = await (this.#state ??= this.#readState(context.actor.tenant))
    if (!state.ok) return this.#silent()
    const isKnown =
      before !== undefined && before.state === state.value && Date.now() < before.until
    return isKnown && !this.#isDoubted ? HOLDS : this.#ask(context, ground, state.value)
  }

  async #ask(context: CallContext, ground: string, state: string | null): Promise<Ground> {
    const now = Date.now()
    const standing = await standingOf(context, this.#policies)
    if (standing.kind === 'unknown') return this.#silent()
    const told = standing.kind === 'holds' ? HOLDS : standing
    this.#told.set(ground, told)
    // Where nothing vouches for the state, there is nothing to compare the next one with.
    if (standing.kind === 'holds' && state !== null) {
      this.seen.set(ground, { state, until: Math.min(now + AT_LEAST_EVERY_MS, standing.until) })
    } else {
      this.seen.delete(ground)
    }
    return told
  }

  #silent(): Ground {
    this.#isSilent = true
    return UNKNOWN
  }

  /** Read before anything is asked about it: what moves meanwhile is found by the next look. */
  #readState(tenant: string): Promise<State> {
    return this.#policies.read((database) => readState(database, tenant))
  }
}

/** null: nothing vouches for it. */
type State = Result<string | null, StoreFault>

const HOLDS: Ground = { kind: 'holds' }
const UNKNOWN: Ground = { kind: 'unknown' }

/** What another age wrote down of its ground cannot be asked about; and a clock needs no asking. */
function endedUnasked({ version, task }: CallContext, now: number): Ground | null {
  if (version !== CONTEXT_VERSION) return { kind: 'ended', cause: 'outdated' }
  return task !== null && task.expiresAt <= now ? { kind: 'ended', cause: 'task_ended' } : null
}
