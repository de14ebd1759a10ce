import { DurableObject } from 'cloudflare:workers'
import type { WouldBe } from '../pdp/evaluation.ts'
import type { DecisionRefusal } from '../pdp/refusal.ts'
import {
  afterDenial,
  afterGrant,
  judge,
  observed,
  type RuleHit,
  type RuleSet,
} from '../pdp/sequence/advance.ts'
import type { Change } from '../pdp/sequence/memory.ts'
import type { LoggedStep } from '../pdp/sequence/step.ts'
import { ChangeWatch } from './change-watch.ts'
import { decisionRow } from './decision-row.ts'
import { digested } from './digested-message.ts'
import { learntFromEnd, stepOfCall, unseen, type Flow } from './steps.ts'
import type { McpNote, McpNoteAnswer } from './mcp-protocol.ts'
import { McpSessions, type Entered } from './mcp-sessions.ts'
import { Outbox } from './outbox.ts'
import { RateBound } from './rate-bound.ts'
import { RefusalMemory, sameness } from './refusal-memory.ts'
import { openState, sealState } from './request-state.ts'
import { ServerTasks } from './server-tasks.ts'
import { NO_DENIAL_FACT, refusalBy } from './denial.ts'
import {
  SESSION_PROTOCOL,
  type AdmitAnswer,
  type AdmitRequest,
  type ChangeAnswer,
  type ChangeQuestion,
  type DenialAnswer,
  type DenialNote,
  type ObserveAnswer,
  type ObservedMessage,
  type Outcome,
  type Possession,
  type Recalled,
  type RecallRequest,
  type SealRequest,
  type SessionStep,
  type TaskNote,
  type Unproven,
} from './session-protocol.ts'
import { SessionRules } from './session-rules.ts'
import { SessionStore, type Step as StoredStep } from './session-store.ts'
import { TaskBudget } from './task-budget.ts'
import { ToldAnswers } from './told-answers.ts'
import { UsedProofs } from './used-proofs.ts'

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
  readonly #told = new ToldAnswers()
  readonly #rules: SessionRules
  readonly #proofs: UsedProofs
  readonly #tasks: ServerTasks
  readonly #mcp: McpSessions
  readonly #changes: ChangeWatch
  readonly #budget: TaskBudget

  constructor(context: DurableObjectState, env: Env) {
    super(context, env)
    this.#store = new SessionStore(context.storage)
    this.#rules = new SessionRules(this.#store, (step) => this.#write(step))
    this.#outbox = new Outbox(context.storage, env.DECISIONS)
    this.#proofs = new UsedProofs(context.storage.sql, this.#store.digests)
    this.#tasks = new ServerTasks(context.storage)
    this.#mcp = new McpSessions(context.storage.sql, this.#store.digests)
    this.#changes = new ChangeWatch(env.DB)
    this.#budget = new TaskBudget(context.storage.sql)
  }

  /** Checks the sequence rules and records the call, or refuses and records that. */
  async admit(request: AdmitRequest): Promise<AdmitAnswer | Unproven> {
    assertVersion(request)
    const known = this.#store.log.find(request.decision)
    if (known !== null) return this.#again(request, known.answer)
    const rules = this.#rules.forCall(request)
    if (!('asked' in rules)) return { kind: 'rules_needed', ...rules }
    const now = Date.now()
    const unproven = this.#use(request.possession, now)
    if (unproven !== null) return unproven
    const answer = this.#overRate(request, now) ?? this.#decide(request, rules, now)
    await this.#outbox.schedule(now)
    return answer
  }

  /** Door two said no before it came to the history: recorded, and remembered as one denial. */
  async noteDenial(note: DenialNote): Promise<DenialAnswer | Unproven> {
    assertVersion(note)
    const known = this.#store.log.find(note.decision)
    if (known?.answer.kind === 'refused') return known.answer
    const now = Date.now()
    const unproven = this.#use(note.possession, now)
    if (unproven !== null) return unproven
    const answer =
      this.#overRate(note, now) ?? this.#deny(note, note.refusal, unseen(note), [], now)
    await this.#outbox.schedule(now)
    return answer
  }

  /** For doors that show proofs and ask for nothing else here; null: each was new. */
  async useProofs(possession: Possession): Promise<Unproven | null> {
    return this.#use(possession, Date.now())
  }

  /** What became of a legacy MCP session, or in it, by a decision that was admitted. */
  async noteMcp(note: McpNote): Promise<McpNoteAnswer> {
    assertVersion(note)
    const event = this.#store.log.find(note.decision)
    if (event === null || event.state === 'denied') return { stored: false, gone: [] }
    return this.ctx.storage.transactionSync(() => this.#mcp.note(note, Date.now()))
  }

  /** For what is still open: the one place where a session reads D1, and no call waits for it here. */
  async changes(question: ChangeQuestion): Promise<ChangeAnswer> {
    assertVersion(question)
    return this.#changes.ask(question)
  }

  /** What this actor is known by to have done before, of what it now comes back to. */
  async recall(request: RecallRequest): Promise<Recalled> {
    assertVersion(request)
    const { requestState } = request
    return {
      tasks: this.#tasks.recall(request),
      state: requestState === null ? null : openState(this.#store.digests, requestState),
    }
  }

  /** False: the server has given this name before, to what another call made. */
  async keepTask(note: TaskNote): Promise<boolean> {
    assertVersion(note)
    return this.#tasks.keep(note)
  }

  async seal(request: SealRequest): Promise<string> {
    assertVersion(request)
    return sealState(this.#store.digests, request.text)
  }

  /**
   * What an upstream sent about an admitted call. It is durable before a byte of it is released, so
   * that no call can rest on what nobody has looked at.
   */
  async observe(message: ObservedMessage): Promise<ObserveAnswer> {
    assertVersion(message)
    const event = this.#store.log.find(message.decision)
    if (event === null || event.state === 'denied' || event.state === 'failed') {
      return { stored: false }
    }
    const { digests } = this.#store
    const digest = message.answer ? digests.seal('answer', JSON.stringify(message)) : ''
    const { decision, answer } = message
    // Told twice where a reply was lost.
    if (event.answered && answer && this.#told.isKnown(decision, digest)) return { stored: true }
    const rules = this.#rules.latest()
    const observation = digested({ ...message, answer: answer && !event.answered }, digests)
    const step = { ...event, labels: [...event.labels, ...event.possible] }
    this.#write({
      seen: { event, observation },
      changes: observed(rules, this.#store.memory, step, observation),
    })
    if (answer) this.#told.add(decision, digest)
    return { stored: true }
  }

  /**
   * What became of an admitted call. Only the first word about a call is heard.
   *
   * A commit that changes no fact waits in memory for the next write of this session. Should it be
   * lost with the object, the call stays pending, which counts the same or worse.
   */
  async settle(outcome: Outcome): Promise<void> {
    assertVersion(outcome)
    const { decision, state, unread } = outcome
    if (this.#committed.some((waiting) => waiting.decision === decision)) return
    const now = Date.now()
    const settled = { ...outcome, endedAt: now }
    // An object that has not seen its rules yet cannot tell which labels matter: all of them may.
    const { clearing, reads } = this.#rules.latest()
    const changes = clearing.size > 0 || (unread && reads.origins)
    if (state === 'committed' && !changes) {
      this.#committed.push(settled)
    } else {
      const event = this.#store.log.find(decision)
      if (event?.state !== 'pending') return
      this.#write({
        changes: learntFromEnd(this.#store, this.#rules.latest(), event, outcome),
        also: () => {
          this.#settle([settled])
          if (state === 'failed') this.#budget.giveBack(event)
        },
      })
    }
    await this.#outbox.schedule(now)
  }

  /** INVARIANT: first of all in a step: whoever replays a request leaves nothing in this history. */
  #use(possession: Possession | null, now: number): Unproven | null {
    const refusal = possession === null ? null : this.#proofs.use(possession, now)
    return refusal === null ? null : { kind: 'unproven', refusal }
  }

  override async alarm(): Promise<void> {
    this.#write({})
    await this.#outbox.ship(() => Date.now())
    // A part at a time, and calls that wait in between.
    // oxlint-disable-next-line no-await-in-loop
    while (this.#store.fold(Date.now())) await scheduler.wait(BETWEEN_PARTS_MS)
  }

  /** One step, and with it the commits that were waiting for a write. */
  #write(step: StoredStep): void {
    const waiting = [...this.#committed]
    this.#store.atomically({
      ...step,
      also: (sql) => {
        this.#settle(waiting)
        step.also?.(sql)
      },
    })
    this.#committed.splice(0, waiting.length)
  }

  #settle(outcomes: readonly SettledOutcome[]): void {
    const { sql } = this.ctx.storage
    for (const { decision, tenant, state, detail, endedAt, erred } of outcomes) {
      // What came to nothing is told anew like what was withheld: it acted, and permits nothing.
      const kept = state === 'committed' && erred === true ? 'withheld' : state
      if (!this.#store.log.settle(decision, kept)) continue
      this.#outbox.add(sql, 'outcome', { decision, tenant, state, detail, ended_at: endedAt })
    }
  }

  #decide(request: AdmitRequest, rules: RuleSet, now: number): AdmitAnswer {
    const { memory } = this.#store
    const step = stepOfCall(request, this.#store.log.nextMoment(now), this.#store.digests)
    const hits = judge(rules, memory, step)
    const refusal = refusalBy(hits) ?? this.#budget.refusal(request.flow)
    if (refusal !== null && !request.observed) {
      return this.#deny(request, refusal, step, hits, now)
    }
    const entered = this.#enter(request, now)
    if (entered !== null && 'refusal' in entered) {
      return this.#deny(request, entered.refusal, step, hits, now)
    }
    const watched: WouldBe | null = request.observed ? { by: 'observe', refusal } : null
    const wouldBe = request.wouldBe ?? watched
    const { decision } = request
    const nonce = this.#proofs.nextNonce(request.possession?.proofs ?? [], now)
    const { sequence } = step.now
    const answer: AdmitAnswer = {
      kind: 'admitted',
      decision,
      sequence,
      ...(nonce === null ? {} : { nonce }),
    }
    this.#write({
      event: {
        ...step,
        fixed: request.flow.ofResources,
        possible: [],
        decision,
        state: 'pending',
        ended: null,
        answered: false,
        answer,
      },
      changes: afterGrant(rules, memory, step),
      also: (sql) => {
        entered?.store()
        this.#budget.count(request.flow, now)
        this.#outbox.add(
          sql,
          'decision',
          decisionRow({ ...request, wouldBe }, step.now, null, hits),
        )
      },
    })
    return entered === null ? answer : { ...answer, mcp: entered.session }
  }

  /** The MCP session of a request; null: it says nothing of one. */
  #enter({ mcp, decision, actorKey, columns, flow }: AdmitRequest, now: number): Entered | null {
    const whose = { decision, actorKey, server: columns.server, task: flow.task }
    return mcp === undefined ? null : this.#mcp.enter(mcp, whose, now)
  }

  /** The same step twice: what it said of its MCP session is looked up, not kept with it. */
  #again(request: AdmitRequest, answer: AdmitAnswer): AdmitAnswer {
    const entered = this.#enter(request, Date.now())
    if (answer.kind !== 'admitted' || entered === null) return answer
    // It ended the session with the first one, or the session went meanwhile.
    if ('refusal' in entered) return { kind: 'refused', ...entered, decision: answer.decision }
    return { ...answer, mcp: entered.session }
  }

  /** INVARIANT: a denial leaves its record and the fact that there was one; nothing of what it asked. */
  #deny(
    request: SessionStep,
    refusal: DecisionRefusal,
    flow: Flow,
    hits: readonly RuleHit[],
    now: number,
  ): DenialAnswer {
    const moment = this.#store.log.nextMoment(now)
    const key = sameness(request, refusal)
    const { decision, actorKey } = request
    const earlier = this.#refusals.find(key, now)
    // Counted on the record of the first one, if that is still here.
    const again = earlier !== null && this.#outbox.repeat(earlier.outboxId) ? earlier : null
    if (again !== null && NO_DENIAL_FACT.has(refusal.reason)) {
      return { kind: 'refused', decision: again.decision, refusal }
    }
    const answer: DenialAnswer = {
      kind: 'refused',
      decision: again?.decision ?? decision,
      refusal,
    }
    let outboxId = again?.outboxId ?? 0
    this.#write({
      event: {
        ...flow,
        // Of values nothing is kept that was not granted.
        values: null,
        fixed: [],
        possible: [],
        decision,
        actorKey,
        now: moment,
        state: 'denied',
        ended: null,
        answered: false,
        answer,
      },
      changes: this.#factsOfDenial(refusal, { ...flow, actorKey, now: moment }),
      also: (sql) => {
        if (again !== null) return
        outboxId = this.#outbox.add(sql, 'decision', decisionRow(request, moment, refusal, hits))
      },
    })
    if (again !== null) return answer
    this.#refusals.add(key, { decision, outboxId }, now)
    return answer
  }

  /**
   * Nothing is kept of a client or agent that is not registered: it is refused whatever it does, and
   * names that a caller makes up must not pile up here. And to need an approval is no denial.
   */
  #factsOfDenial(refusal: DecisionRefusal, step: LoggedStep): readonly Change[] {
    if (NO_DENIAL_FACT.has(refusal.reason)) return []
    return afterDenial(this.#rules.latest(), this.#store.memory, step)
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
      ? this.#deny(request, refusal, unseen(request), [], now)
      : { kind: 'refused', decision, refusal }
  }
}

const BETWEEN_PARTS_MS = 5

type SettledOutcome = Outcome & { readonly endedAt: number }

/** An unknown version is a fault, and a fault here means that the call is not forwarded. */
function assertVersion({ version }: { readonly version: number }): void {
  if (version !== SESSION_PROTOCOL)
    throw new Error(`session protocol ${version} is not spoken here`)
}
