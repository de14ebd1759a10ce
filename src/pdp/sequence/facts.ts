// Pure. What a session remembers: one small fact per label and scope, so that a decision costs the
// same after ten calls and after a hundred thousand.

/** Where an event stands in its session: its number, and the session's own clock in epoch ms. */
export interface Moment {
  readonly sequence: number
  readonly at: number
}

/** How many occurrences keep their time. A count above it cannot be told, so no rule may ask for it. */
export const RING_SIZE = 64

/** The last occurrences may shrink when a call turns out never to have been sent; a little slack. */
const KEPT = RING_SIZE + 16

export interface LabelFact {
  readonly count: number
  readonly last: Moment
  /** The last occurrence that is known to have happened; null while none is. */
  readonly committed: Moment | null
  /** The latest occurrences, oldest first. */
  readonly ring: readonly Occurrence[]
  /** When the latest occurrence was that the ring let go of before it had ended, epoch ms, or null. */
  readonly lostAt: number | null
}

export interface Occurrence extends Moment {
  /**
   * The session's latest sequence number when this call had ended, so that what was admitted later
   * can be told from what was not. Absent while it is pending, or where nobody kept it.
   */
  readonly ended?: number
}

/** Whose history a fact belongs to. The key is '' for the subject, who owns the whole session. */
export const SCOPES = ['subject', 'actor'] as const
export type Scope = (typeof SCOPES)[number]

export interface FactKey {
  readonly scope: Scope
  readonly key: string
  readonly label: string
}

/** The session's memory, however it is kept. */
export interface FactView {
  get(key: FactKey): LabelFact | undefined
}

/** The one label that a denial leaves. Only granted calls leave the labels of their tool. */
export const DENIED = 'decision.denied'

export function remember(fact: LabelFact | undefined, moment: Moment): LabelFact {
  if (fact === undefined)
    return { count: 1, last: moment, committed: null, ring: [moment], lostAt: null }
  return {
    count: fact.count + 1,
    last: moment,
    committed: fact.committed,
    ring: [...fact.ring.slice(-(KEPT - 1)), moment],
    lostAt: fact.ring.length < KEPT ? fact.lostAt : lostAt(fact),
  }
}

/** INVARIANT: letting go may only refuse more: what had not ended is remembered as never ending. */
function lostAt({ ring, lostAt: known }: LabelFact): number | null {
  const [oldest] = ring
  return oldest === undefined || oldest.ended !== undefined
    ? known
    : Math.max(known ?? 0, oldest.at)
}

/**
 * Takes back an occurrence of a call that never left Sallyport.
 *
 * INVARIANT: forgetting may only ever free a budget that is known exactly. Once the ring has let go
 * of older occurrences the count stays as it is, and source labels are never taken back.
 */
export function forget(fact: LabelFact, label: string, sequence: number): LabelFact {
  if (label.startsWith('source.') || fact.count > KEPT) return fact
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
    one.sequence === occurrence.sequence ? { ...one, ended: latestSequence } : one,
  )
  const later = happened && occurrence.sequence > (fact.committed?.sequence ?? 0)
  return { ...fact, ring, committed: later ? occurrence : fact.committed }
}

/** How often since `from` (epoch ms); at most what the ring can tell. */
export const countSince = (fact: LabelFact | undefined, from: number): number =>
  fact === undefined ? 0 : fact.ring.filter((moment) => moment.at >= from).length
