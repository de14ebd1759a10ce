// Pure. A history told anew: the same steps under other rules, or with other labels.
import { counted, ended, granted, takenBack, afterDenial } from './advance.ts'
import { Draft } from './draft.ts'
import type { Change } from './memory.ts'
import { MemoryInProcess } from './memory-in-process.ts'
import type { RuleSet } from './rule-set.ts'
import type { LoggedStep, Observation } from './step.ts'

/** What the log of a session keeps of one step, oldest first. */
export interface LoggedEvent extends LoggedStep {
  readonly state: 'pending' | 'committed' | 'failed' | 'withheld' | 'denied'
  /** The session's latest sequence number when it had ended; null while it has not. */
  readonly endedAfter: number | null
  /** Whether it is known to have done what it was for. */
  readonly happened: boolean
  readonly observations: readonly LoggedObservation[]
}

export interface LoggedObservation extends Pick<
  Observation,
  'labels' | 'rows' | 'overflow' | 'answer'
> {
  /** The session's latest sequence number when it was made. */
  readonly after: number
}

/**
 * Labels, values and sums as they would be if these rules had been there from the beginning. Origins
 * and flags cannot be told anew, since the words they hang on are not kept: they are given.
 */
export function retold(
  rules: RuleSet,
  log: Iterable<LoggedEvent>,
  origins: readonly Change[],
  memory = new MemoryInProcess(),
): MemoryInProcess {
  memory.apply(origins)
  const later = new Map<number, (() => void)[]>()
  const at = (sequence: number, does: () => void): void => {
    const those = later.get(sequence)
    if (those === undefined) later.set(sequence, [does])
    else those.push(does)
  }
  for (const event of log) {
    if (event.state === 'denied') {
      memory.apply(afterDenial(rules, memory, event))
    } else {
      memory.apply(inDraft(memory, (draft) => granted(rules, draft, event)))
      plan(rules, memory, event, at)
    }
    for (const does of later.get(event.now.sequence) ?? []) does()
    later.delete(event.now.sequence)
  }
  for (const rest of [...later.keys()].toSorted((a, b) => a - b)) {
    for (const does of later.get(rest) ?? []) does()
  }
  return memory
}

/** What became known of a step later happens again where it had happened. */
function plan(
  rules: RuleSet,
  memory: MemoryInProcess,
  event: LoggedEvent,
  at: (sequence: number, does: () => void) => void,
): void {
  let answered = false
  const brought: string[] = []
  const { endedAfter, state, happened } = event
  for (const seen of event.observations) {
    const step = { ...event, answered }
    at(seen.after, () => {
      memory.apply(inDraft(memory, (draft) => counted(rules, draft, step, seen)))
    })
    answered ||= seen.answer
    if (endedAfter !== null && seen.after <= endedAfter) brought.push(...seen.labels)
  }
  if (endedAfter === null) return
  const step = { ...event, answered, brought }
  at(endedAfter, () => {
    memory.apply(
      state === 'failed'
        ? takenBack(rules, memory, step)
        : ended(rules, memory, step, endedAfter, happened),
    )
  })
}

function inDraft(memory: MemoryInProcess, does: (draft: Draft) => void): Change[] {
  const draft = new Draft(memory)
  does(draft)
  return draft.list()
}
