// Pure. The facts of one rule's scope and group, as the rule asks for them.
import { merged, type LabelFact } from './facts.ts'
import { groupsOf, isAlone, OVERFLOW_KEY, overflowOf, type Grouping } from './groups.ts'
import type { FactKey, Memory, Scope } from './memory.ts'
import type { LoggedStep, Step } from './step.ts'

export interface History {
  readonly memory: Memory
  /** What may have happened: with all that can no longer be told apart from it. */
  possible(label: string): LabelFact | undefined
  /** What is known of this key alone. */
  known(label: string): LabelFact | undefined
  /** The keys under which values and sums may be found; what they tell is added up. */
  keys(label: string): readonly FactKey[]
}

/** One history for each group of the call; null where the call lacks the key or it cannot be read. */
export function historiesOf(
  memory: Memory,
  step: Step,
  scope: Scope,
  grouping: Grouping,
): readonly History[] | null {
  const groups = groupsOf(grouping, step)
  if (groups === null) return null
  const key = keyOf(scope, step)
  return groups.map((group) => historyOf(memory, { scope, key, group }, overflowOf(grouping)))
}

export const keyOf = (scope: Scope, { actorKey, taskKey }: LoggedStep): string =>
  scope === 'subject' ? '' : scope === 'actor' ? actorKey : (taskKey ?? '')

function historyOf(memory: Memory, own: Omit<FactKey, 'label'>, overflow: string): History {
  const { scope, key, group } = own
  const others = othersOf(own, overflow)
  const known = (label: string): LabelFact | undefined => memory.label({ scope, key, label, group })
  return {
    memory,
    known,
    possible: (label) => {
      let fact = known(label)
      for (const other of others) {
        const more = memory.label({ ...other, label })
        fact = fact === undefined || more === undefined ? (fact ?? more) : merged(fact, more)
      }
      return fact
    },
    keys: (label) =>
      others.length === 0
        ? [{ scope, key, label, group }]
        : [own, ...others].map((one) => ({ ...one, label })),
  }
}

/** What may belong to this key as well: calls that had no group, and whatever had to make room. */
function othersOf({ scope, key, group }: Omit<FactKey, 'label'>, overflow: string) {
  if (isAlone(scope, group)) return []
  const shared = { scope, key: scope === 'subject' ? '' : OVERFLOW_KEY, group: overflow }
  return scope === 'subject' || group === '' ? [shared] : [{ scope, key, group: overflow }, shared]
}
