import type { RuleSet } from '../pdp/sequence/advance.ts'
import { retold } from '../pdp/sequence/replay.ts'
import type { SequenceRuleRow } from '../pdp/sequence/rule.ts'
import { NO_DENIAL_FACT } from './denial.ts'
import type { StoredEvent } from './event-log.ts'
import {
  clearFacts,
  distrusted,
  originChanges,
  RecordedMemory,
  storeChanges,
} from './session-memory.ts'
import type { ToolLabels } from './session-protocol.ts'
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
 */
export function retell(
  store: SessionStore,
  rules: RuleSet,
  labelsOf: ((event: StoredEvent) => Labels) | null,
  also: () => void,
): void {
  store.replace((sql) => {
    const before = originChanges(sql)
    const memory = new RecordedMemory()
    const origins = labelsOf === null ? before : distrusted(before)
    function* log() {
      for (const event of store.log.events()) {
        const { answer } = event
        if (answer.kind === 'refused' && NO_DENIAL_FACT.has(answer.refusal.reason)) continue
        const now = labelsOf === null || event.state === 'denied' ? event : labelsOf(event)
        if (now !== event) store.log.relabel(event.now.sequence, now.labels, now.possible)
        yield { ...event, labels: now.labels }
        // INVARIANT: a label that it may have carried counts, and never as something that happened.
        if (now.possible.length > 0) {
          yield { ...event, labels: now.possible, ...NEVER_ENDED }
        }
      }
    }
    retold(rules, log(), origins, memory)
    clearFacts(sql)
    storeChanges(sql, memory.everything(), store.log.lastSequence)
    also()
  })
}

const NEVER_ENDED = { endedAfter: null, happened: false, observations: [] } as const

export type Labels = Pick<StoredEvent, 'labels' | 'possible'>

/** What the calls of each tool carry now; what touched resources brought stays. */
export function labelling(tools: readonly ToolLabels[]): (event: StoredEvent) => Labels {
  const byTool = new Map(tools.map((one) => [JSON.stringify(one.tool), one]))
  return (event) => {
    const now = byTool.get(JSON.stringify([event.server, event.tool]))
    if (now === undefined) return event
    const labels = [...new Set([...now.certain, ...event.fixed])].toSorted()
    return { labels, possible: now.possible.filter((label) => !labels.includes(label)) }
  }
}
