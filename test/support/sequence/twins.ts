// One history, kept twice: by the engine and as a plain list, so that their answers can be compared.
import { compileRules } from '../../../src/pdp/sequence/advance.ts'
import type { Change } from '../../../src/pdp/sequence/memory.ts'
import { retold, type LoggedEvent } from '../../../src/pdp/sequence/replay.ts'
import type { SequenceRuleRow } from '../../../src/pdp/sequence/rule.ts'
import type { PastStep, Step } from '../../../src/pdp/sequence/step.ts'
import { naiveHolds, type NaiveEvent, type NaiveRule, type NaiveValue } from './naive.ts'
import { ruleRow, TrialSession, valueOf } from './steps.ts'

export interface TwinCall {
  actor: string
  task: string | null
  server: string
  tool: string
  access: string
  labels: string[]
  values: NaiveValue[] | null
}

export interface TwinRule {
  plain: NaiveRule
  /** The operator and operand of the row's `on_where`, which `plain.where` means. */
  where: Record<string, unknown> | null
}

interface Pending {
  event: NaiveEvent
  step: PastStep
  logged: { -readonly [field in keyof LoggedEvent]: LoggedEvent[field] }
  observations: { rows: number | null; after: number }[]
}

export class Twins {
  readonly trial: TrialSession
  readonly events: NaiveEvent[] = []
  readonly #log: Pending['logged'][] = []
  readonly #open: Pending[] = []
  #rules: TwinRule[]
  #at = 1_000_000_000

  constructor(rules: readonly TwinRule[]) {
    this.#rules = [...rules]
    this.trial = new TrialSession(rules.map(rowOf))
  }

  wait(seconds: number): void {
    this.#at += seconds
  }

  /** Which rules hold: as the engine says, and as the list says. */
  ask(call: TwinCall): { engine: string[]; naive: string[] } {
    const step = this.#step(call)
    const event = this.#event(call, step)
    return {
      engine: this.trial.judge(step).map(({ rule }) => rule),
      naive: this.#rules
        .filter(({ plain }) => naiveHolds(plain, this.events, event))
        .map(({ plain }) => plain.id)
        .toSorted(),
    }
  }

  grant(call: TwinCall): void {
    const step = this.#step(call)
    const past = this.trial.admit(step)
    const event = this.#event(call, step)
    this.events.push(event)
    const logged = { ...step, state: 'pending', endedAfter: null, happened: false } as const
    const observations: Pending['observations'] = []
    const entry = { ...logged, observations: [] } as Pending['logged']
    this.#log.push(entry)
    this.#open.push({ event, step: past, logged: entry, observations })
  }

  deny(call: TwinCall): void {
    const step = { ...this.#step(call), labels: [] }
    this.trial.deny(this.#at, { ...step, now: step.now })
    this.events.push({ ...this.#event(call, step), denied: true, endedAfter: step.now.sequence })
    this.#log.push({
      ...step,
      state: 'denied',
      endedAfter: null,
      happened: false,
      observations: [],
    })
  }

  /** What becomes of one of the calls that are still open. */
  settle(which: number, how: 'committed' | 'withheld' | 'failed'): void {
    const one = this.#open[which % Math.max(1, this.#open.length)]
    if (one === undefined) return
    this.#open.splice(this.#open.indexOf(one), 1)
    one.event.endedAfter = this.trial.sequence
    one.logged.endedAfter = this.trial.sequence
    one.logged.state = how
    if (how === 'failed') {
      one.event.unsent = true
      this.trial.fail(one.step)
      return
    }
    one.event.happened = how === 'committed'
    one.logged.happened = how === 'committed'
    this.trial.end(one.step, how === 'committed')
  }

  observe(which: number, rows: number | null): void {
    const one = this.#open[which % Math.max(1, this.#open.length)]
    if (one === undefined || one.step.answered) return
    one.step = this.trial.observe(one.step, { rows })
    one.event.rows = rows ?? Infinity
    one.logged.observations = [
      { rows, answer: true, labels: [], overflow: false, after: this.trial.sequence },
    ]
  }

  /** INVARIANT: other rules find the history that was there before them. */
  edit(rules: readonly TwinRule[]): void {
    this.#rules = [...rules]
    const origins: Change[] = []
    this.trial.rules = compileRules('2', rules.map(rowOf))
    this.trial.memory = retold(this.trial.rules, this.#log, origins)
  }

  #step(call: TwinCall): Step {
    return this.trial.step(call.labels, this.#at, {
      actorKey: call.actor,
      taskKey: call.task,
      server: call.server,
      tool: call.tool,
      access: call.access,
      values:
        call.values?.map(({ role, type, text, amount }) => valueOf(role, text, { type, amount })) ??
        null,
    })
  }

  #event(call: TwinCall, { now }: Step): NaiveEvent {
    return {
      ...call,
      ...now,
      denied: false,
      unsent: false,
      endedAfter: null,
      happened: false,
      rows: null,
    }
  }
}

export const rowOf = ({ plain, where }: TwinRule): SequenceRuleRow =>
  ruleRow({
    id: plain.id,
    onLabel: plain.onLabel,
    onAccess: plain.access === null ? null : JSON.stringify(plain.access),
    unlessLabel: plain.unless,
    onWhere: plain.where === null ? null : JSON.stringify({ [plain.where.role]: where }),
    type: plain.type,
    rules: JSON.stringify(plain.labels),
    groupBy: JSON.stringify(plain.by),
    scope: plain.scope,
    timespanSeconds: plain.seconds,
    untilLabel: plain.until,
    field: plain.field,
    condition: plain.condition === null ? null : JSON.stringify(plain.condition),
  })
