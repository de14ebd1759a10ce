// Pure. Calls that are too old to be kept one by one: what all of a kind have in common, and when the
// latest of them were. A history that is told anew takes them as the worst that they may have been.
import { Draft, sharedOf } from './draft.ts'
import { merged, remember, type LabelFact, type Occurrence } from './facts.ts'
import { groupsOf, OVERFLOW_KEY, overflowOf, UNGROUPED, type Grouping } from './groups.ts'
import type { Change, FactKey, Scope, WorkingMemory } from './memory.ts'
import type { KeptTally, RuleSet } from './rule-set.ts'
import { RESULT_ROWS } from './value-sum.ts'

/** Calls of one actor and one tool with the same labels. */
export interface Folded {
  /** OVERFLOW_KEY: of several. */
  readonly actorKey: string
  readonly server: string
  readonly tool: string
  readonly labels: readonly string[]
  /** Labels that count as pending for ever: what they may have carried, and what results brought. */
  readonly unended: readonly string[]
  /** When they were. INVARIANT: nothing in it is known to have happened, so it permits nothing. */
  readonly times: LabelFact
}

/** One more of them, with when it had ended if that is known. */
export const folding = (
  times: LabelFact | undefined,
  { sequence, at, ended }: Omit<Occurrence, 'happened'>,
): LabelFact => remember(times, ended === undefined ? { sequence, at } : { sequence, at, ended })

/**
 * What these calls leave under these rules.
 *
 * INVARIANT: which values they named is not known, so they count against every group, every number of
 * distinct values cannot be told and every sum is without bound, as long as the latest is in time. No
 * call is freed, also where it never left.
 */
export function foldedChanges(rules: RuleSet, memory: WorkingMemory, folded: Folded): Change[] {
  const draft = new Draft(memory)
  for (const label of new Set(folded.labels)) remembered(rules, draft, folded, label, folded.times)
  const pending = neverEnded(folded.times)
  for (const label of new Set(folded.unended)) {
    if (!folded.labels.includes(label)) remembered(rules, draft, folded, label, pending)
  }
  return draft.list()
}

function remembered(
  rules: RuleSet,
  draft: Draft,
  folded: Folded,
  label: string,
  times: LabelFact,
): void {
  const { facts, tallies } = rules.keptOf(label)
  for (const { scope, grouping } of [...PLAIN, ...facts]) {
    const key = keyOf(folded, label, scope, grouping)
    const { ring } = times
    const latest = ring.at(-1)
    if (latest === undefined) continue
    const { count } = times
    // The first makes room, or finds that there is none.
    draft.remember(key, latest)
    const held = draft.label(key) === undefined ? sharedOf(key) : key
    const fact = draft.label(held)
    const others = { ...times, count: count - 1, ring: ring.slice(0, -1) }
    if (fact !== undefined) draft.setLabel(held, merged(fact, others))
  }
  for (const tally of tallies) addUnknown(draft, folded, label, tally)
}

const PLAIN: readonly { readonly scope: Scope; readonly grouping: Grouping }[] = [
  { scope: 'subject', grouping: UNGROUPED },
  { scope: 'actor', grouping: UNGROUPED },
]

function addUnknown(draft: Draft, folded: Folded, label: string, tally: KeptTally): void {
  const { scope, grouping, field, width, horizon } = tally
  const key = { ...keyOf(folded, label, scope, grouping), field }
  const { last } = folded.times
  if (width !== null) {
    draft.addAmount({ ...key, width }, last, { known: 0, unknown: true }, horizon)
  } else if (field !== RESULT_ROWS) {
    draft.loseValue(key, last)
  }
}

/** Where actor, task or group is not known it is the one that counts against all. */
function keyOf(folded: Folded, label: string, scope: Scope, grouping: Grouping): FactKey {
  const { actorKey, server, tool } = folded
  const whose = scope === 'subject' ? '' : scope === 'actor' ? actorKey : OVERFLOW_KEY
  const [group = overflowOf(grouping)] = groupsOf(grouping, { ...NO_CALL, server, tool }) ?? []
  const key = { scope, key: whose, label, group }
  return whose === OVERFLOW_KEY ? sharedOf(key) : key
}

/** Its values are not known, so it has only such groups as the tool itself makes. */
const NO_CALL = {
  actorKey: '',
  taskKey: null,
  access: '',
  labels: [],
  now: { sequence: 0, at: 0 },
  values: null,
} as const

/** As if none of them had ended. */
const neverEnded = (times: LabelFact): LabelFact => ({
  ...times,
  ring: times.ring.map(({ sequence, at }) => ({ sequence, at })),
  lostAt: times.lost?.at ?? null,
  lost: times.lost === null ? null : { ...times.lost, ended: null },
})
