// Pure. What a session remembers of one label: one small fact, so that a decision costs the same
// after ten calls and after a hundred thousand.
import type { Moment } from './step.ts'

/** How many occurrences keep their time. A count above it cannot be told, so no rule may ask for it. */
export const RING_SIZE = 64

/** The last occurrences may shrink when a call turns out never to have been sent; a little slack. */
export const KEPT = RING_SIZE + 16

export interface LabelFact {
  readonly count: number
  /** The first occurrence that was ever remembered. */
  readonly first: Moment
  readonly last: Moment
  /** The last occurrence that is known to have happened; null while none is. */
  readonly committed: Moment | null
  /** The latest occurrences, oldest first. */
  readonly ring: readonly Occurrence[]
  /** When the latest occurrence was that the ring let go of before it had ended, epoch ms, or null. */
  readonly lostAt: number | null
  /** What is still known of all occurrences that the ring let go of. */
  readonly lost: Lost | null
}

export interface Occurrence extends Moment {
  /**
   * The session's latest sequence number when this call had ended, so that what was admitted later
   * can be told from what was not. Absent while it is pending, or where nobody kept it.
   */
  readonly ended?: number
  /** Present once it is known to have happened. */
  readonly happened?: true
}

/** The latest of them, and when the last of them ended; null: not all of them have. */
export interface Lost extends Moment {
  readonly ended: number | null
}

/** The one label that a denial leaves. Only granted calls leave the labels of their tool. */
export const DENIED = 'decision.denied'

/** The label that a person's approval leaves, of the call that was approved. */
export const APPROVED = 'approval.granted'

export function remember(fact: LabelFact | undefined, moment: Occurrence): LabelFact {
  if (fact === undefined) {
    return {
      count: 1,
      first: moment,
      last: moment,
      committed: null,
      ring: [moment],
      lostAt: null,
      lost: null,
    }
  }
  if (moment.sequence > fact.last.sequence) {
    return bounded({ ...fact, count: fact.count + 1, last: moment, ring: [...fact.ring, moment] })
  }
  // What a result brings is remembered when others may have been admitted since.
  if (fact.ring.some(({ sequence }) => sequence === moment.sequence)) return fact
  return merged(fact, remember(undefined, moment))
}

/** Two facts as one, about whose occurrences nothing is known that either does not know. */
export function merged(one: LabelFact, other: LabelFact): LabelFact {
  const ring = [...one.ring, ...other.ring].toSorted((a, b) => a.sequence - b.sequence)
  return bounded({
    count: one.count + other.count,
    first: earlier(one.first, other.first),
    last: later(one.last, other.last),
    committed:
      one.committed === null || other.committed === null
        ? (one.committed ?? other.committed)
        : later(one.committed, other.committed),
    ring,
    lostAt: latest(one.lostAt, other.lostAt),
    lost:
      one.lost === null ? other.lost : other.lost === null ? one.lost : both(one.lost, other.lost),
  })
}

/**
 * INVARIANT: letting go may only refuse more: what had not ended is remembered as never ending, and
 * what is known of all that was let go of is known of its latest.
 */
function bounded(fact: LabelFact): LabelFact {
  const excess = fact.ring.length - KEPT
  if (excess <= 0) return fact
  let { lostAt, lost } = fact
  for (const { sequence, at, ended } of fact.ring.slice(0, excess)) {
    if (ended === undefined) lostAt = latest(lostAt, at)
    const gone = { sequence, at, ended: ended ?? null }
    lost = lost === null ? gone : both(lost, gone)
  }
  return { ...fact, ring: fact.ring.slice(excess), lostAt, lost }
}

/**
 * Takes back an occurrence of a call that never left Sallyport.
 *
 * INVARIANT: forgetting may only ever free a budget that is known exactly: where the ring has let go
 * of others, it keeps as many as a rule can ask for. Source labels are never taken back.
 */
export function forget(fact: LabelFact, label: string, sequence: number): LabelFact {
  if (label.startsWith('source.')) return fact
  if (fact.lost !== null && fact.ring.length <= RING_SIZE) return fact
  const ring = fact.ring.filter((moment) => moment.sequence !== sequence)
  return ring.length === fact.ring.length ? fact : { ...fact, count: fact.count - 1, ring }
}

/** A call that counted from admission has ended: it happened, or it may have. */
export function end(
  fact: LabelFact,
  occurrence: Moment,
  latestSequence: number,
  happened: boolean,
): LabelFact {
  const ring = fact.ring.map((one) =>
    one.sequence === occurrence.sequence
      ? { ...one, ended: latestSequence, ...(happened ? { happened } : {}) }
      : one,
  )
  const isLater = happened && occurrence.sequence > (fact.committed?.sequence ?? 0)
  return { ...fact, ring, committed: isLater ? occurrence : fact.committed }
}

/** How often since `from` (epoch ms); at most what the ring can tell. */
export function countSince(fact: LabelFact | undefined, from: number): number {
  if (fact === undefined) return 0
  let count = 0
  for (let at = fact.ring.length - 1; at >= 0; at -= 1) {
    if ((fact.ring[at]?.at ?? 0) < from) break
    count += 1
  }
  return count
}

/** How often since `from` it is known to have happened. */
export const happenedSince = (fact: LabelFact | undefined, from: number): number =>
  fact === undefined
    ? 0
    : fact.ring.filter(({ at, happened }) => happened === true && at >= from).length

const earlier = (a: Moment, b: Moment): Moment => (a.sequence <= b.sequence ? a : b)
const later = (a: Moment, b: Moment): Moment => (a.sequence >= b.sequence ? a : b)
const latest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b)

const both = (a: Lost, b: Lost): Lost => ({
  sequence: Math.max(a.sequence, b.sequence),
  at: Math.max(a.at, b.at),
  ended: a.ended === null || b.ended === null ? null : Math.max(a.ended, b.ended),
})
