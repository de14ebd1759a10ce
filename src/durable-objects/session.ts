import { DurableObject } from 'cloudflare:workers'
import type { WouldBe } from '../pdp/evaluation.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import {
  afterDenial,
  afterGrant,
  compileRules,
  ended,
  judge,
  takenBack,
  type FactChange,
  type RuleHit,
  type RuleSet,
} from '../pdp/sequence/advance.ts'
import type { Step } from '../pdp/sequence/rule.ts'
import { decisionRow } from './decision-row.ts'
import { Outbox } from './outbox.ts'
import { RateBound } from './rate-bound.ts'
import { RefusalMemory } from './refusal-memory.ts'
import {
  SESSION_PROTOCOL,
  type AdmitAnswer,
  type AdmitRequest,
  type DenialAnswer,
  type DenialNote,
  type Outcome,
  type OutcomeState,
  type SessionStep,
} from './session-protocol.ts'
import { SessionStore, type Changes, type StoredEvent } from './session-store.ts'

/**
 * One subject's history (docs/decisions/0002-session-is-the-subject.md): the place where a call is
 * decided against what went before it and recorded, in one step. It holds no rules of its own and
 * never reads D1 on the path of a call.
 *
 * INVARIANT: nothing is awaited between reading the facts and storing the step, so the steps of one
 * subject happen one after the other. An answer leaves only when its step is durable (output gate).
 */
export class Session extends DurableObject<Env> {
  readonly #store: SessionStore
  readonly #outbox: Outbox
  readonly #rates = new RateBound()
  readonly #refusals = new RefusalMemory()
  readonly #committed: SettledOutcome[] = []
  #rules: RuleSet | null = null

  constructor(context: DurableObjectState, env: Env) {
    super(context, env)
    this.#store = new SessionStore(context.storage)
    this.#outbox = new Outbox(context.storage, env.DECISIONS)
  }

  /** Checks the sequence rules and records the call, or refuses and records that. */
  async admit(request: AdmitRequest): Promise<AdmitAnswer> {
    assertVersion(request)
    const known = this.#store.event(request.decision)
    if (known !== null) return known.answer
    const rules = this.#rulesFor(request)
    if (rules === null) return { kind: 'rules_needed' }
    const now = Date.now()
    const answer = this.#overRate(request, now) ?? this.#decide(request, rules, now)
    await this.#outbox.schedule(now)
    return answer
  }

  /** Door two said no before it came to the history: recorded, and remembered as one denial. */
  async noteDenial(note: DenialNote): Promise<DenialAnswer> {
    assertVersion(note)
    const known = this.#store.event(note.decision)
    if (known?.answer.kind === 'refused') return known.answer
    const now = Date.now()
    const answer = this.#overRate(note, now) ?? this.#deny(note, note.refusal, [], [], now)
    await this.#outbox.schedule(now)
    return answer
  }

  /**
   * What became of an admitted call. Only the first word about a call is heard.
   *
   * A commit that changes no fact waits in memory for the next write of this session. Should it be
   * lost with the object, the call stays pending, which counts the same or worse.
   */
  async settle(outcome: Outcome): Promise<void> {
    assertVersion(outcome)
    const { decision, state } = outcome
    if (this.#committed.some((waiting) => waiting.decision === decision)) return
    const now = Date.now()
    const settled = { ...outcome, endedAt: now }
    // An object that has not seen its rules yet cannot tell which labels matter: all of them may.
    if (state === 'committed' && this.#rules?.clearing.size === 0) {
      this.#committed.push(settled)
    } else {
      const event = this.#store.event(decision)
      if (event?.state !== 'pending') return
      this.#write({
        facts: this.#learnt(state, event),
        also: (sql) => this.#settle(sql, [settled]),
      })
    }
    await this.#outbox.schedule(now)
  }

  #learnt(state: OutcomeState, event: StoredEvent): readonly FactChange[] {
    if (state === 'failed') return takenBack(this.#store, event)
    const clearing = this.#rules?.clearing
    const labels = event.labels.filter((label) => clearing?.has(label) ?? true)
    const happened = state === 'committed'
    return ended(this.#store, { ...event, labels }, this.#store.lastSequence, happened)
  }

  override async alarm(): Promise<void> {
    this.#write({})
    await this.#outbox.ship(() => Date.now())
  }

  /** One step, and with it the commits that were waiting for a write. */
  #write(step: Changes): void {
    const waiting = [...this.#committed]
    this.#store.atomically({
      ...step,
      also: (sql) => {
        this.#settle(sql, waiting)
        step.also?.(sql)
      },
    })
    this.#committed.splice(0, waiting.length)
  }

  #settle(sql: SqlStorage, outcomes: readonly SettledOutcome[]): void {
    for (const { decision, tenant, state, detail, endedAt } of outcomes) {
      if (!this.#store.settle(sql, decision, state)) continue
      this.#outbox.add(sql, 'outcome', { decision, tenant, state, detail, ended_at: endedAt })
    }
  }

  #rulesFor(request: AdmitRequest): RuleSet | null {
    if (this.#rules?.revision === request.revision) return this.#rules
    if (request.rules === null) return null
    this.#rules = compileRules(request.revision, request.rules)
    return this.#rules
  }

  #decide(request: AdmitRequest, rules: RuleSet, now: number): AdmitAnswer {
    const step: Step = {
      actorKey: request.actorKey,
      labels: request.labels,
      now: this.#store.nextMoment(now),
    }
    const hits = judge(rules, this.#store, step)
    const denial = hits.find((hit) => hit.effect === 'deny')
    const refusal =
      denial === undefined
        ? null
        : ({
            at: 'decide',
            reason: 'denied_by_sequence',
            rule: denial.rule,
            ruleReason: denial.reason,
          } as const)
    if (refusal !== null && !request.observed) {
      return this.#deny(request, refusal, request.labels, hits, now)
    }
    const observed: WouldBe | null = request.observed ? { by: 'observe', refusal } : null
    const wouldBe = request.wouldBe ?? observed
    const { decision } = request
    const answer: AdmitAnswer = { kind: 'admitted', decision, sequence: step.now.sequence }
    this.#write({
      event: {
        ...step.now,
        decision,
        actorKey: request.actorKey,
        labels: request.labels,
        state: 'pending',
        answer,
      },
      facts: afterGrant(this.#store, step),
      also: (sql) => {
        this.#outbox.add(
          sql,
          'decision',
          decisionRow({ ...request, wouldBe }, step.now, null, hits),
        )
      },
    })
    return answer
  }

  /** INVARIANT: a denial leaves its record and the fact that there was one; nothing of what it asked. */
  #deny(
    request: SessionStep,
    refusal: DecisionRefusal,
    labels: readonly string[],
    hits: readonly RuleHit[],
    now: number,
  ): DenialAnswer {
    const moment = this.#store.nextMoment(now)
    const key = sameness(request, refusal)
    const earlier = this.#refusals.find(key, now)
    if (earlier !== null && this.#outbox.repeat(earlier.outboxId)) {
      const again = { sequence: earlier.sequence, at: moment.at }
      const step: Step = { actorKey: request.actorKey, labels, now: again }
      this.#write({ facts: this.#factsOfDenial(refusal, step) })
      return { kind: 'refused', decision: earlier.decision, refusal }
    }
    const { decision, actorKey } = request
    const answer: DenialAnswer = { kind: 'refused', decision, refusal }
    let outboxId = 0
    this.#write({
      event: { ...moment, decision, actorKey, labels, state: 'denied', answer },
      facts: this.#factsOfDenial(refusal, { actorKey, labels, now: moment }),
      also: (sql) => {
        outboxId = this.#outbox.add(sql, 'decision', decisionRow(request, moment, refusal, hits))
      },
    })
    this.#refusals.add(key, { decision, sequence: moment.sequence, outboxId }, now)
    return answer
  }

  /**
   * Nothing is kept of a client or agent that is not registered: it is refused whatever it does, and
   * names that a caller makes up must not pile up here. And to need an approval is no denial.
   */
  #factsOfDenial(refusal: DecisionRefusal, step: Step): FactChange[] {
    return NO_DENIAL_FACT.has(refusal.reason) ? [] : afterDenial(this.#store, step)
  }

  /** A flood is refused without a write, but for the first refusal of its minute. */
  #overRate(request: SessionStep, now: number): DenialAnswer | null {
    const overrun = this.#rates.take(
      request.actorKey,
      request.callsPerMinute,
      request.decision,
      now,
    )
    if (overrun === null) return null
    const { retryAfterSeconds, decision } = overrun
    const refusal = { at: 'decide', reason: 'rate_limited', retryAfterSeconds } as const
    return decision === request.decision
      ? this.#deny(request, refusal, [], [], now)
      : { kind: 'refused', decision, refusal }
  }
}

const NO_DENIAL_FACT: ReadonlySet<DecisionRefusal['reason']> = new Set([
  'client_unknown',
  'agent_unknown',
  'approval_required',
])

type SettledOutcome = Outcome & { readonly endedAt: number }

/** An unknown version is a fault, and a fault here means that the call is not forwarded. */
function assertVersion({ version }: { readonly version: number }): void {
  if (version !== SESSION_PROTOCOL)
    throw new Error(`session protocol ${version} is not spoken here`)
}

function sameness(request: SessionStep, refusal: DecisionRefusal): string {
  const { server, method, tool } = request.columns
  return JSON.stringify([
    request.actorKey,
    JSON.stringify(refusal),
    server,
    method,
    tool,
    request.argumentsKey,
  ])
}
