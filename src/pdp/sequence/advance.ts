// Pure. One step of a session: which rules hold, and what it remembers afterwards. Whoever keeps the
// memory applies the changes and gives the order; replay is a fold of these functions over the log.
import { flagsAfter, learned, passed } from '../provenance/learn.ts'
import { Draft } from './draft.ts'
import { DENIED, end, forget } from './facts.ts'
import { Histories } from './history.ts'
import type { Change, Memory, WorkingMemory } from './memory.ts'
import { add, count, resolve, revise, takeBack } from './occurrence.ts'
import { EFFECTS, type RuleEffect } from './rule.ts'
import type { RuleSet } from './rule-set.ts'
import type { EndedStep, LoggedStep, Observation, PastStep, Step } from './step.ts'
import { addedBy, RESULT_ROWS } from './value-sum.ts'

export { compileRules, type RuleSet } from './rule-set.ts'

/** A rule that held, as the record keeps it. */
export interface RuleHit {
  readonly rule: string
  readonly effect: RuleEffect
  readonly reason: string
  readonly problem: string | null
}

/** Every rule that holds, the strongest first, then by id: the same whatever the order of the rows. */
export function judge(rules: RuleSet, memory: Memory, step: Step): RuleHit[] {
  const hits: RuleHit[] = []
  const histories = new Histories(memory, step)
  for (const rule of rules.asked(step)) {
    if (!rule.holds(histories, step)) continue
    const { row, problem } = rule
    hits.push({ rule: row.id, effect: row.effect, reason: row.reason, problem })
  }
  return hits.toSorted(byStrength)
}

const byStrength = (a: RuleHit, b: RuleHit): number =>
  a.effect === b.effect
    ? a.rule < b.rule
      ? -1
      : 1
    : EFFECTS.indexOf(a.effect) - EFFECTS.indexOf(b.effect)

/** What a granted step leaves: its labels, in every scope, and its values. It counts from admission. */
export function afterGrant(rules: RuleSet, memory: WorkingMemory, step: Step): Change[] {
  const draft = new Draft(memory)
  for (const { key, value } of passed(memory, step, step.values ?? [])) draft.setOrigin(key, value)
  // INVARIANT: what passed unread may have been anything, so no value is told from it any more.
  if (step.values === null) draft.setFlags({ forgotPassed: true })
  const flags = flagsAfter(draft.flags(), step.labels)
  if (flags !== null) draft.setFlags(flags)
  granted(rules, draft, step)
  return draft.list()
}

/** The part of it that is told anew from the log: labels, values and sums. */
export function granted(rules: RuleSet, draft: Draft, step: LoggedStep): void {
  for (const label of new Set(step.labels)) {
    count(rules, draft, step, label)
    for (const tally of rules.keptOf(label).tallies) {
      add(draft, step, label, tally, addedBy(step, tally.field))
    }
  }
}

/** What a denied step leaves: that there was a denial, and nothing of what was denied. */
export function afterDenial(rules: RuleSet, memory: WorkingMemory, step: LoggedStep): Change[] {
  const draft = new Draft(memory)
  count(rules, draft, step, DENIED)
  return draft.list()
}

/** What is forgotten when it turns out that no byte of a step ever left. */
export function takenBack(rules: RuleSet, memory: WorkingMemory, step: PastStep): Change[] {
  const draft = new Draft(memory)
  for (const label of new Set(step.labels)) {
    revise(rules, draft, step, label, (fact) => forget(fact, label, step.now.sequence))
    for (const tally of rules.keptOf(label).tallies) takeBack(draft, step, label, tally)
  }
  return draft.list()
}

/**
 * What is known better once a step has ended, and whether it happened.
 *
 * INVARIANT: a label that an upstream's answer brought ends with the call, so that a later call may
 * clear it; it never counts as having happened, since no upstream may permit or clear anything.
 */
export function ended(
  rules: RuleSet,
  memory: WorkingMemory,
  step: EndedStep,
  latestSequence: number,
  happened: boolean,
): Change[] {
  const draft = new Draft(memory)
  for (const label of new Set([...step.labels, ...step.brought])) {
    if (!rules.clearing.has(label)) continue
    const itself = happened && step.labels.includes(label)
    revise(rules, draft, step, label, (fact) => end(fact, step.now, latestSequence, itself))
  }
  return draft.list()
}

/**
 * What a result turned out to hold. Its rows are known from its answer on.
 *
 * INVARIANT: what is not read to its end counts as containing everything that makes a rule hold.
 */
export function observed(
  rules: RuleSet,
  memory: WorkingMemory,
  step: PastStep,
  observation: Observation,
): Change[] {
  const draft = new Draft(memory)
  if (observation.overflow) draft.setFlags({ forgotSeen: true, privateRead: true })
  // What arrives with a label of its own is no better than that label.
  const labels = [...step.labels, ...observation.labels]
  const known = { ...step, labels }
  for (const { key, value } of learned(memory, known, observation)) draft.setOrigin(key, value)
  const flags = flagsAfter(draft.flags(), labels)
  if (flags !== null) draft.setFlags(flags)
  counted(rules, draft, step, observation)
  return draft.list()
}

/** The part of it that is told anew from the log. */
export function counted(
  rules: RuleSet,
  draft: Draft,
  step: PastStep,
  { labels, rows, overflow, answer }: Pick<Observation, 'labels' | 'rows' | 'overflow' | 'answer'>,
): void {
  const known = rows === null || overflow ? null : Math.max(0, rows)
  for (const label of new Set(step.labels)) {
    for (const tally of rules.keptOf(label).tallies) {
      if (tally.field === RESULT_ROWS && tally.width !== null) {
        resolve(draft, step, label, tally, known, answer)
      }
    }
  }
  const brought = labels.filter((label) => !step.labels.includes(label))
  for (const label of new Set(brought)) {
    const isNew = count(rules, draft, step, label)
    for (const tally of rules.keptOf(label).tallies) {
      if (tally.field === RESULT_ROWS) {
        add(draft, step, label, tally, { known: known ?? 0, unknown: known === null })
      } else if (isNew) {
        add(draft, step, label, tally, addedBy(step, tally.field))
      }
    }
  }
}
