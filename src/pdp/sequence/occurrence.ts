// Pure. One occurrence of one label: under which keys it is kept, and what of it can be revised.
import { unseen } from './distinct.ts'
import type { Draft } from './draft.ts'
import { sharedOf } from './draft.ts'
import type { LabelFact } from './facts.ts'
import { groupsOf, nameIn, overflowOf, valuesOf, type Grouping } from './groups.ts'
import { keyOf } from './history.ts'
import type { FactKey, Scope } from './memory.ts'
import type { KeptTally, RuleSet } from './rule-set.ts'
import type { LoggedStep, PastStep } from './step.ts'
import { bucketOf, minus, plus, type Amount, type Bucket } from './sums.ts'
import { addedBy, RESULT_ROWS } from './value-sum.ts'

/** Whether this call carried the label for the first time. */
export function count(rules: RuleSet, draft: Draft, step: LoggedStep, label: string): boolean {
  const keys = keysOf(rules, step, label)
  const [first] = keys
  const before = first === undefined ? undefined : draft.label(first)
  for (const key of keys) draft.remember(key, step.now)
  return !(before?.ring.some(({ sequence }) => sequence === step.now.sequence) ?? false)
}

export function revise(
  rules: RuleSet,
  draft: Draft,
  step: LoggedStep,
  label: string,
  change: (fact: LabelFact) => LabelFact,
): void {
  for (const key of keysOf(rules, step, label)) {
    // A group that has made room since is among what all groups share.
    for (const one of [key, sharedOf(key)]) {
      const fact = draft.label(one)
      const revised = fact === undefined ? undefined : change(fact)
      if (revised !== undefined && revised !== fact) draft.setLabel(one, revised)
    }
  }
}

/** Adds what a call passed or brought to the values or sums that are kept of the label. */
export function add(
  draft: Draft,
  step: LoggedStep,
  label: string,
  { scope, grouping, field, width, horizon }: KeptTally,
  amount: Amount,
): void {
  for (const group of groupKeys(step, label, scope, grouping)) {
    const key = { ...group, field }
    if (width !== null) {
      draft.addAmount({ ...key, width }, step.now, amount, horizon)
    } else if (step.values === null) {
      draft.loseValue(key, step.now)
    } else {
      for (const value of valuesOf(step, field)) {
        draft.seeValue(key, nameIn(value), step.now, horizon)
      }
    }
  }
}

/** Of a call that never left: its rows are none. Nothing else of a source label is ever freed. */
export function takeBack(draft: Draft, step: PastStep, label: string, tally: KeptTally): void {
  const { scope, grouping, field, width } = tally
  if (field === RESULT_ROWS) {
    if (!step.answered) resolve(draft, step, label, tally, 0, true)
    return
  }
  if (label.startsWith('source.')) return
  if (width !== null) {
    const added = addedBy(step, field)
    reviseBucket(draft, step, label, tally, (bucket) => minus(bucket, added))
    return
  }
  for (const group of groupKeys(step, label, scope, grouping)) {
    for (const value of valuesOf(step, field)) {
      for (const one of [group, sharedOf(group)]) {
        const key = { ...one, field }
        const name = nameIn(value)
        const fact = draft.value(key, name)
        if (fact !== undefined) draft.setValue(key, name, unseen(fact, step.now.sequence))
      }
    }
  }
}

/** The rows of a result: they take the place of what was unknown, or are added to it. */
export function resolve(
  draft: Draft,
  step: PastStep,
  label: string,
  tally: KeptTally,
  rows: number | null,
  isAnswer: boolean,
): void {
  reviseBucket(draft, step, label, tally, (bucket) => {
    const before = isAnswer && !step.answered ? minus(bucket, UNKNOWN) : bucket
    return plus(before, rows === null ? UNKNOWN : { known: rows, unknown: false })
  })
}

const UNKNOWN: Amount = { known: 0, unknown: true }

/** Where its group had no room when it was added, it is among what all groups share. */
function reviseBucket(
  draft: Draft,
  step: PastStep,
  label: string,
  { scope, grouping, field, width }: KeptTally,
  revised: (bucket: Bucket) => Bucket,
): void {
  if (width === null) return
  const start = bucketOf(step.now.at, width)
  for (const group of groupKeys(step, label, scope, grouping)) {
    const key = { ...group, field, width }
    for (const one of [key, sharedOf(key)]) {
      const bucket = draft.bucket(one, start)
      if (bucket === undefined) continue
      draft.setBucket(one, start, revised(bucket))
      break
    }
  }
}

/** All keys under which an occurrence of this label is kept. */
function keysOf(rules: RuleSet, step: LoggedStep, label: string): FactKey[] {
  const plain = PLAIN.map((scope) => ({ scope, key: keyOf(scope, step), label, group: '' }))
  const grouped = rules
    .keptOf(label)
    .facts.flatMap(({ scope, grouping }) => groupKeys(step, label, scope, grouping))
  return [...plain, ...grouped]
}

const PLAIN = ['subject', 'actor'] as const

/** A call without the key, or with more than are told apart, may belong to any. */
function groupKeys(step: LoggedStep, label: string, scope: Scope, grouping: Grouping): FactKey[] {
  const key = keyOf(scope, step)
  const groups = groupsOf(grouping, step) ?? [overflowOf(grouping)]
  return groups.map((group) => ({ scope, key, label, group }))
}
