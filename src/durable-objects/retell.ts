import type { RuleSet } from '../pdp/sequence/advance.ts'
import { foldedChanges } from '../pdp/sequence/folded.ts'
import { retold } from '../pdp/sequence/replay.ts'
import type { SequenceRuleRow } from '../pdp/sequence/rule.ts'
import { leavesNoFact, type StoredEvent } from './event-log.ts'
import { toldOf } from './folded-events.ts'
import { clearFacts, distrustOrigins, RecordedMemory, storeChanges } from './session-memory.ts'
import type { SeenTool, ToolLabels } from './session-protocol.ts'
import type { SessionStore } from './session-store.ts'

/** What the facts of a session were kept for. */
export interface KeptFor {
  /** Groups, values and sums, by name. */
  readonly kept: readonly string[]
  readonly origins: boolean
  readonly labelsKey: string
}

export const KEPT_FOR = 'kept_for'

/** A name for everything that is kept of labels for the sake of these rules. */
export function keptNames(rules: RuleSet, rows: readonly SequenceRuleRow[]): string[] {
  const names = [...new Set(rows.flatMap(labelsIn))].flatMap((label) => {
    const { facts, tallies } = rules.keptOf(label)
    return [
      ...facts.map(({ scope, grouping }) => JSON.stringify([label, scope, grouping.spec])),
      ...tallies.map(({ scope, grouping, field, width, horizon }) =>
        JSON.stringify([label, scope, grouping.spec, field, width, horizon]),
      ),
    ]
  })
  return names.toSorted()
}

/** Of a row that cannot be read nothing is kept: its rule holds whatever was before. */
function labelsIn({ rules, untilLabel }: SequenceRuleRow): string[] {
  const until = untilLabel === null ? [] : [untilLabel]
  try {
    const labels: unknown = JSON.parse(rules)
    return Array.isArray(labels) ? [...labels.filter(isText), ...until] : until
  } catch {
    return until
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'

/**
 * The history of a session told anew: under rules that need what was not kept, or with labels that its
 * tools have only now. One transaction, before the call that brought them is looked at.
 *
 * Origins are not told anew, since the words that they hang on are not kept.
 */
export function retell(
  store: SessionStore,
  rules: RuleSet,
  labelsOf: Labelling | null,
  also: () => void,
): void {
  store.replace((sql) => {
    const memory = new RecordedMemory()
    for (const kind of store.folded.all()) {
      const now = labelsOf === null || kind.denied ? kind : { ...kind, ...labelsOf(kind) }
      if (!sameLabels(kind, now)) store.folded.relabel(kind.id, now.labels, now.possible)
      memory.apply(foldedChanges(rules, memory, toldOf(now)))
    }
    function* log() {
      for (const event of store.log.events()) {
        if (leavesNoFact(event)) continue
        const now = labelsOf === null || event.state === 'denied' ? event : labelsOf(event)
        if (!sameLabels(event, now)) store.log.relabel(event.now.sequence, now.labels, now.possible)
        yield now === event ? event : { ...event, labels: now.labels }
        // INVARIANT: a label that it may have carried counts, and never as something that happened.
        if (now.possible.length > 0) {
          yield { ...event, labels: now.possible, ...NEVER_ENDED }
        }
      }
    }
    retold(rules, log(), [], memory)
    clearFacts(sql)
    storeChanges(sql, memory.everything(), store.log.lastSequence)
    if (labelsOf !== null) distrustOrigins(sql)
    also()
  })
}

const NEVER_ENDED = { endedAfter: null, happened: false, observations: [] } as const

export type Labels = Pick<StoredEvent, 'labels' | 'possible'>
type Labelled = Labels & Pick<StoredEvent, 'server' | 'tool' | 'fixed'>
type Labelling = (event: Labelled) => Labels

/**
 * What the calls of each tool carry now; what touched resources brought stays.
 *
 * INVARIANT: to retire a tool takes no label from the calls that were made of it.
 */
export function labelling(tools: readonly ToolLabels[]): Labelling {
  const byTool = new Map(tools.map((one) => [nameOf(one.tool), one]))
  const known = new Map<string, Labels>()
  return (event) => {
    const tool = nameOf([event.server, event.tool])
    const now = byTool.get(tool)
    if (now === undefined) return event
    const carried = now.gone ? [...event.labels, ...event.possible] : []
    const name = `${tool}\n${event.fixed.join(' ')}\n${carried.join(' ')}`
    const before = known.get(name)
    if (before !== undefined) return before
    const labels = [...new Set([...now.certain, ...event.fixed])].toSorted()
    const possible = [...new Set([...now.possible, ...carried])].toSorted()
    const found = { labels, possible: possible.filter((label) => !labels.includes(label)) }
    known.set(name, found)
    return found
  }
}

const nameOf = ([server, tool]: SeenTool): string => `${server}\n${tool}`

const sameLabels = (one: Labels, other: Labels): boolean =>
  one === other || (sameList(one.labels, other.labels) && sameList(one.possible, other.possible))

const sameList = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((label, at) => label === other[at])
