// One history, kept twice: by the engine and as a plain list, so that their answers can be compared.
import { compileRules } from '../../../src/pdp/sequence/advance.ts'
import { DENIED } from '../../../src/pdp/sequence/facts.ts'
import { foldedChanges, folding, type Folded } from '../../../src/pdp/sequence/folded.ts'
import { OVERFLOW_KEY } from '../../../src/pdp/sequence/groups.ts'
import { MemoryInProcess } from '../../../src/pdp/sequence/memory-in-process.ts'
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

/** What an upstream sends of one call. */
export interface TwinMessage {
  answer: boolean
  rows: number | null
  labels: string[]
  overflow: boolean
}

interface Pending {
  event: NaiveEvent
  step: PastStep
  logged: { -readonly [field in keyof LoggedEvent]: LoggedEvent[field] }
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

  /** Which of the open calls was granted last. */
  get latest(): number {
    return this.#open.length - 1
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
    const entry = { ...logged, observations: [] } as Pending['logged']
    this.#log.push(entry)
    this.#open.push({ event, step: past, logged: entry })
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
    this.trial.end(one.step, how === 'committed', one.event.brought)
  }

  observe(which: number, seen: TwinMessage): void {
    const one = this.#open[which % Math.max(1, this.#open.length)]
    if (one === undefined || one.step.answered) return
    // Only an answer names resources, and so only an answer brings labels.
    const message = seen.answer ? seen : { ...seen, labels: [] }
    one.step = this.trial.observe(one.step, message)
    const rows = message.overflow ? Infinity : (message.rows ?? Infinity)
    if (message.answer) {
      one.event.rows = rows
      one.event.brought = message.labels
    } else {
      one.event.rowsBefore += rows
    }
    one.logged.observations = [
      ...one.logged.observations,
      { ...message, after: this.trial.sequence },
    ]
  }

  /** Calls of this tool carry other labels now, and always have. */
  relabel(tool: string, labels: readonly string[]): void {
    const now = [...labels]
    for (const event of this.events) if (event.tool === tool && !event.denied) event.labels = now
    for (const logged of this.#log) {
      if (logged.tool === tool && logged.state !== 'denied') logged.labels = now
    }
    for (const open of this.#open) {
      if (open.event.tool === tool) open.step = { ...open.step, labels: now }
    }
    this.edit(this.#rules)
  }

  /** INVARIANT: other rules find the history that was there before them. */
  edit(rules: readonly TwinRule[], fold = 0, coarse = false): void {
    this.#rules = [...rules]
    const compiled = compileRules('2', rules.map(rowOf))
    const memory = new MemoryInProcess()
    for (const one of foldedOf(this.#log.slice(0, fold), coarse)) {
      memory.apply(foldedChanges(compiled, memory, one))
    }
    this.trial.rules = compiled
    this.trial.memory = retold(compiled, this.#log.slice(fold), [], memory)
    // Of a folded call nothing more is heard.
    const last = this.#log.slice(0, fold).at(-1)?.now.sequence ?? 0
    const open = this.#open.filter(({ event }) => event.sequence > last)
    this.#open.splice(0, this.#open.length, ...open)
  }

  #step(call: TwinCall): Step {
    return this.trial.step(call.labels, this.#at, {
      actorKey: call.actor,
      taskKey: call.task,
      server: call.server,
      tool: call.tool,
      access: call.access,
      values:
        call.values?.map(({ role, type, text, name, amount }) =>
          valueOf(role, text, { type, amount, ...(name === null ? {} : { named: name }) }),
        ) ?? null,
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
      rowsBefore: 0,
      brought: [],
    }
  }
}

/** The oldest calls of a log, by kind; `coarse`: kinds that share one by tool. */
function foldedOf(log: readonly LoggedEvent[], coarse: boolean): Folded[] {
  const kinds = new Map<string, Folded>()
  for (const { actorKey, server, tool, labels, state, now, endedAfter, observations } of log) {
    const carried = state === 'denied' ? [DENIED] : labels
    const brought = observations.flatMap(({ labels: more }) => more)
    const kind = coarse
      ? [server, tool, state === 'denied']
      : [actorKey, server, tool, carried, brought]
    const name = JSON.stringify(kind)
    const before = kinds.get(name)
    const ended = state === 'failed' || endedAfter === null ? {} : { ended: endedAfter }
    kinds.set(name, {
      actorKey: coarse ? OVERFLOW_KEY : actorKey,
      server,
      tool,
      labels: [...new Set([...(before?.labels ?? []), ...carried])],
      unended: [...new Set([...(before?.unended ?? []), ...brought])],
      times: folding(before?.times, { ...now, ...ended }),
    })
  }
  return [...kinds.values()]
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
