// Pure. The facts of a scope and a group, as a rule asks for them.
import { merged, type LabelFact } from './facts.ts'
import { pairedGroupsOf, isAlone, OVERFLOW_KEY, overflowOf, type Groupings } from './groups.ts'
import type { FactKey, Memory, Scope } from './memory.ts'
import type { LoggedStep, Step } from './step.ts'

/** For what restricts ask `possible`, for what permits `known`. */
export interface History {
  readonly memory: Memory
  /** What may have happened: with all that can no longer be told apart from it. */
  possible(label: string): LabelFact | undefined
  /** What is known of this key alone, and of this kind of thing. */
  known(label: string): LabelFact | undefined
  /** The keys under which values and sums may be found; what they tell is added up. */
  keys(label: string): readonly FactKey[]
}

/** Whose history a rule asks for. Rules with the same name ask for the same. */
export interface Place {
  readonly name: string
  readonly scope: Scope
  readonly groupings: Groupings
}

export const placeOf = (scope: Scope, groupings: Groupings): Place => ({
  name: `${scope} ${groupings.restricting.spec}`,
  scope,
  groupings,
})

/** The histories that the rules of one call ask for: each is looked up once, however many ask. */
export class Histories {
  readonly #memory: Memory
  readonly #step: Step
  readonly #found = new Map<string, readonly History[] | null>()

  constructor(memory: Memory, step: Step) {
    this.#memory = memory
    this.#step = step
  }

  /** One for each group of the call; null where the call lacks the key or it cannot be read. */
  of(place: Place): readonly History[] | null {
    const known = this.#found.get(place.name)
    if (known !== undefined) return known
    const found = historiesOf(this.#memory, this.#step, place)
    this.#found.set(place.name, found)
    return found
  }
}

function historiesOf(
  memory: Memory,
  step: Step,
  { scope, groupings }: Place,
): readonly History[] | null {
  const key = keyOf(scope, step)
  const overflow = overflowOf(groupings.restricting)
  return (
    pairedGroupsOf(groupings, step)?.map(({ restricting, permitting }) =>
      isAlone(scope, restricting)
        ? new WholeHistory(memory)
        : new HistoryOfKey(
            memory,
            { scope, key, group: restricting },
            { scope, key, group: permitting },
            overflow,
          ),
    ) ?? null
  )
}

export const keyOf = (scope: Scope, { actorKey, taskKey }: LoggedStep): string =>
  scope === 'subject' ? '' : scope === 'actor' ? actorKey : (taskKey ?? '')

/** Of the whole session nothing was ever let go of: all that is possible is known. */
class WholeHistory implements History {
  readonly memory: Memory

  constructor(memory: Memory) {
    this.memory = memory
  }

  known(label: string): LabelFact | undefined {
    return this.memory.label({ scope: 'subject', key: '', label, group: '' })
  }

  possible(label: string): LabelFact | undefined {
    return this.known(label)
  }

  keys(label: string): readonly FactKey[] {
    return [{ scope: 'subject', key: '', label, group: '' }]
  }
}

type Key = Omit<FactKey, 'label'>

class HistoryOfKey implements History {
  readonly memory: Memory
  readonly #restricting: readonly Key[]
  readonly #permitting: Key
  /** Finding a key among many, and putting facts together, costs more than asking again. */
  readonly #possible = new Map<string, LabelFact | undefined>()
  readonly #known = new Map<string, LabelFact | undefined>()

  constructor(memory: Memory, restricting: Key, permitting: Key, overflow: string) {
    this.memory = memory
    this.#restricting = [restricting, ...othersOf(restricting, overflow)]
    this.#permitting = permitting
  }

  known(label: string): LabelFact | undefined {
    if (this.#known.has(label)) return this.#known.get(label)
    const fact = this.memory.label({ ...this.#permitting, label })
    this.#known.set(label, fact)
    return fact
  }

  possible(label: string): LabelFact | undefined {
    if (this.#possible.has(label)) return this.#possible.get(label)
    let fact: LabelFact | undefined
    for (const key of this.#restricting) {
      const more = this.memory.label({ ...key, label })
      fact = fact === undefined || more === undefined ? (fact ?? more) : merged(fact, more)
    }
    this.#possible.set(label, fact)
    return fact
  }

  keys(label: string): readonly FactKey[] {
    return this.#restricting.map((key) => ({ ...key, label }))
  }
}

/** What may belong to this key as well: calls that had no group, and whatever had to make room. */
function othersOf({ scope, key, group }: Key, overflow: string): Key[] {
  const shared = { scope, key: scope === 'subject' ? '' : OVERFLOW_KEY, group: overflow }
  return scope === 'subject' || group === '' ? [shared] : [{ scope, key, group: overflow }, shared]
}
