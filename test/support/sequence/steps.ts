import { NOTHING_ASKED } from '../../../src/pdp/provenance/asked.ts'
import {
  afterDenial,
  afterGrant,
  compileRules,
  ended,
  judge,
  observed,
  takenBack,
  type RuleHit,
  type RuleSet,
} from '../../../src/pdp/sequence/advance.ts'
import { MemoryInProcess } from '../../../src/pdp/sequence/memory-in-process.ts'
import type { SequenceRuleRow } from '../../../src/pdp/sequence/rule.ts'
import type { Observation, PastStep, Step, StepValue } from '../../../src/pdp/sequence/step.ts'

export const ruleRow = (row: Partial<SequenceRuleRow>): SequenceRuleRow => ({
  id: 'r',
  effect: 'deny',
  onLabel: 'sink.export',
  onAccess: null,
  unlessLabel: null,
  onWhere: null,
  type: 'temporal',
  rules: '["source.confidential"]',
  groupBy: '[]',
  scope: 'subject',
  timespanSeconds: null,
  untilLabel: null,
  field: null,
  condition: null,
  role: null,
  origins: null,
  reason: 'because',
  ...row,
})

export const valueOf = (role: string, text: string, more: Partial<StepValue> = {}): StepValue => ({
  role,
  type: null,
  text,
  digest: text,
  amount: Number.isNaN(Number(text)) ? null : Number(text),
  ...more,
})

export const resultOf = (more: Partial<Observation>): Observation => ({
  answer: true,
  rows: 0,
  labels: [],
  listed: [],
  fields: [],
  mentions: [],
  overflow: false,
  ...more,
})

/** A session in memory: the same steps as the Durable Object's, without one. */
export class TrialSession {
  memory = new MemoryInProcess()
  rules: RuleSet
  sequence = 0

  constructor(rows: readonly SequenceRuleRow[] = []) {
    this.rules = compileRules('1', rows)
  }

  step(labels: readonly string[], atSeconds: number, more: Partial<Step> = {}): Step {
    return {
      actorKey: 'a',
      taskKey: null,
      server: 'files',
      tool: 'tool',
      access: 'read',
      labels,
      now: { sequence: this.sequence + 1, at: atSeconds * 1000 },
      values: [],
      asked: NOTHING_ASKED,
      ownDomains: [],
      ...more,
    }
  }

  judge(step: Step): RuleHit[] {
    return judge(this.rules, this.memory, step)
  }

  /** Which rules hold for a call that is not made. */
  asks(labels: readonly string[], atSeconds: number, more: Partial<Step> = {}): string[] {
    return this.judge(this.step(labels, atSeconds, more)).map(({ rule }) => rule)
  }

  admit(step: Step): PastStep {
    this.memory.apply(afterGrant(this.rules, this.memory, step))
    this.sequence = step.now.sequence
    return { ...step, answered: false }
  }

  grant(labels: readonly string[], atSeconds: number, more: Partial<Step> = {}): PastStep {
    return this.admit(this.step(labels, atSeconds, more))
  }

  deny(atSeconds: number, more: Partial<Step> = {}): void {
    const step = this.step([], atSeconds, more)
    this.memory.apply(afterDenial(this.rules, this.memory, step))
    this.sequence = step.now.sequence
  }

  observe(step: PastStep, found: Partial<Observation>): PastStep {
    const observation = resultOf(found)
    this.memory.apply(observed(this.rules, this.memory, step, observation))
    return { ...step, answered: step.answered || observation.answer }
  }

  end(step: PastStep, happened = true, brought: readonly string[] = []): void {
    const done = { ...step, brought }
    this.memory.apply(ended(this.rules, this.memory, done, this.sequence, happened))
  }

  fail(step: PastStep): void {
    this.memory.apply(takenBack(this.rules, this.memory, step))
  }
}
