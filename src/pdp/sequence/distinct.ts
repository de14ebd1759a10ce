// Pure. Which values a role had in the calls that carried a label: each value once, with the latest
// times it was seen.
import type { Moment } from './step.ts'

/** How many distinct values are kept; above it, their number cannot be told. */
export const VALUES_KEPT = 320
/** No rule may ask for as many, so that the number is told wherever a rule can ask. */
export const VALUES_BOUND = 256
/** How many of its latest occurrences a value keeps, so that one of them can be taken back. */
const SEEN_KEPT = 4

export interface ValueFact {
  /** The latest occurrences, oldest first. */
  readonly seen: readonly Moment[]
  /** There were more. */
  readonly more: boolean
}

/** Under this digest stands when the latest value was last seen that is no longer kept. */
export const LOST = ''

export function seenAgain(fact: ValueFact | undefined, moment: Moment): ValueFact {
  if (fact === undefined) return { seen: [moment], more: false }
  if (fact.seen.some(({ sequence }) => sequence === moment.sequence)) return fact
  const seen = [...fact.seen, moment].toSorted((a, b) => a.sequence - b.sequence)
  return { seen: seen.slice(-SEEN_KEPT), more: fact.more || seen.length > SEEN_KEPT }
}

/**
 * null: it was never seen.
 *
 * INVARIANT: where an earlier time is no longer known, the later one stands.
 */
export function unseen(fact: ValueFact, sequence: number): ValueFact | null {
  const seen = fact.seen.filter((moment) => moment.sequence !== sequence)
  if (seen.length > 0) return { ...fact, seen }
  return fact.more ? fact : null
}

export const lastSeen = (fact: ValueFact): number => fact.seen.at(-1)?.at ?? -Infinity
