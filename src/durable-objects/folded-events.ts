import { DENIED, merged, type LabelFact } from '../pdp/sequence/facts.ts'
import { folding, type Folded } from '../pdp/sequence/folded.ts'
import { OVERFLOW_KEY } from '../pdp/sequence/groups.ts'
import type { LoggedEvent } from '../pdp/sequence/replay.ts'
import { leavesNoFact, type EventLog, type ToldEvent } from './event-log.ts'

/**
 * How many of its newest calls a session keeps one by one. To tell them anew takes well below the time
 * that a Worker waits for an answer (docs/performance.md), and they fill some tens of megabytes.
 */
export const KEPT_EVENTS = 20_000

/**
 * Nothing younger is folded: whoever asks again for the same decision finds it. A Worker asks again
 * within seconds, a caller of the AuthZEN doors within this time.
 */
export const RETRY_MS = 15 * 60_000

/** One write: a call that comes meanwhile waits for a few milliseconds. */
const AT_ONCE = 250
/** More kinds than these share the row of their tool. */
const MOST_KINDS = 1_024

interface Kind {
  readonly actor: string
  readonly server: string
  readonly tool: string
  readonly denied: boolean
  readonly labels: readonly string[]
  readonly fixed: readonly string[]
  readonly possible: readonly string[]
  /** Labels that results brought. */
  readonly brought: readonly string[]
}

/** Calls of one kind, too many or too old to be kept one by one. */
export interface FoldedEvents extends Kind {
  readonly id: number
  readonly times: LabelFact
}

type Row = {
  id: number
  actor: string
  server: string
  tool: string
  denied: number
  labels: string
  fixed: string
  possible: string
  brought: string
  times: string
}

const COLUMNS = 'actor, server, tool, denied, labels, fixed, possible, brought, times'

/** The part of a session's past of which only kinds and times are kept. */
export class FoldedPast {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  /** To be called inside a step's transaction. */
  *all(): Generator<FoldedEvents> {
    const rows = this.#sql.exec<Row>(`SELECT id, ${COLUMNS} FROM folded ORDER BY id`).toArray()
    for (const row of rows) yield foldedOf(row)
  }

  relabel(id: number, labels: readonly string[], possible: readonly string[]): void {
    this.#sql.exec(
      'UPDATE folded SET labels = ?, possible = ? WHERE id = ?',
      JSON.stringify(labels),
      JSON.stringify(possible),
      id,
    )
  }

  /**
   * Folds some of the oldest calls, if there are more than are kept. To be called inside a
   * transaction; true: there may be more of them.
   *
   * INVARIANT: a history that is told anew from what is left refuses whatever the whole would refuse.
   */
  fold(log: EventLog, now: number, kept = KEPT_EVENTS, young = RETRY_MS): boolean {
    const events = log.oldest(log.lastSequence - kept, now - young, AT_ONCE)
    const last = events.at(-1)
    if (last === undefined) return false
    const changed = new Map<string, { readonly kind: Kind; id: number | null; times: LabelFact }>()
    for (const event of events) {
      if (leavesNoFact(event)) continue
      const wanted = kindOf(event)
      const name = JSON.stringify(wanted)
      const known = changed.get(name)
      const found = known ?? this.#find(wanted)
      const times = folding(found?.times, { ...event.now, ...endOf(event) })
      if (known !== undefined) known.times = times
      else changed.set(name, { kind: wanted, id: found?.id ?? null, times })
    }
    for (const { kind, id, times } of changed.values()) this.#store(kind, id, times)
    log.forget(last.now.sequence)
    return events.length === AT_ONCE
  }

  #find(kind: Kind): FoldedEvents | undefined {
    const { actor, server, tool, denied, labels, fixed, possible, brought } = kind
    const [row] = this.#sql
      .exec<Row>(
        `SELECT id, ${COLUMNS} FROM folded WHERE server = ? AND tool = ? AND actor = ? AND denied = ? AND labels = ? AND fixed = ? AND possible = ? AND brought = ? LIMIT 1`,
        server,
        tool,
        actor,
        denied ? 1 : 0,
        ...[labels, fixed, possible, brought].map((one) => JSON.stringify(one)),
      )
      .toArray()
    return row === undefined ? undefined : foldedOf(row)
  }

  #store(kind: Kind, id: number | null, times: LabelFact): void {
    if (id !== null) {
      this.#sql.exec('UPDATE folded SET times = ? WHERE id = ?', JSON.stringify(times), id)
      return
    }
    const { kinds } = this.#sql
      .exec<{ kinds: number }>('SELECT count(*) AS kinds FROM folded')
      .one()
    if (kinds < MOST_KINDS) this.#insert(kind, times)
    else this.#share(kind, times)
  }

  #insert(kind: Kind, times: LabelFact): void {
    const { actor, server, tool, denied, labels, fixed, possible, brought } = kind
    this.#sql.exec(
      `INSERT INTO folded (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      actor,
      server,
      tool,
      denied ? 1 : 0,
      ...[labels, fixed, possible, brought, times].map((one) => JSON.stringify(one)),
    )
  }

  /** INVARIANT: kinds that share a row each count for the labels of all, and for every actor. */
  #share(kind: Kind, times: LabelFact): void {
    const [row] = this.#sql
      .exec<Row>(
        `SELECT id, ${COLUMNS} FROM folded WHERE server = ? AND tool = ? AND actor = ? AND denied = ? LIMIT 1`,
        kind.server,
        kind.tool,
        OVERFLOW_KEY,
        kind.denied ? 1 : 0,
      )
      .toArray()
    const shared = { ...kind, actor: OVERFLOW_KEY }
    if (row === undefined) {
      this.#insert(shared, times)
      return
    }
    const before = foldedOf(row)
    this.#sql.exec('DELETE FROM folded WHERE id = ?', before.id)
    this.#insert(
      {
        ...shared,
        labels: union(before.labels, kind.labels),
        fixed: union(before.fixed, kind.fixed),
        possible: union(before.possible, kind.possible),
        brought: union(before.brought, kind.brought),
      },
      merged(before.times, times),
    )
  }
}

/** As the rules take it. */
export const toldOf = ({
  actor,
  server,
  tool,
  labels,
  possible,
  brought,
  times,
}: FoldedEvents): Folded => ({
  actorKey: actor,
  server,
  tool,
  labels,
  unended: [...possible, ...brought],
  times,
})

function kindOf(event: ToldEvent): Kind {
  const denied = event.state === 'denied'
  return {
    actor: event.actorKey,
    // What was denied never was a call of this tool.
    server: denied ? '' : event.server,
    tool: denied ? '' : event.tool,
    denied,
    labels: denied ? [DENIED] : event.labels,
    fixed: event.fixed,
    possible: event.possible,
    brought: [...new Set(event.observations.flatMap(({ labels }) => labels))].toSorted(),
  }
}

/** What never left ends nothing, and what nobody heard of again has not ended. */
const endOf = ({ state, endedAfter }: LoggedEvent): { readonly ended?: number } =>
  state === 'failed' || state === 'denied' || endedAfter === null ? {} : { ended: endedAfter }

const union = (one: readonly string[], other: readonly string[]): string[] =>
  [...new Set([...one, ...other])].toSorted()

const foldedOf = (row: Row): FoldedEvents => ({
  ...row,
  denied: row.denied === 1,
  labels: JSON.parse(row.labels) as string[],
  fixed: JSON.parse(row.fixed) as string[],
  possible: JSON.parse(row.possible) as string[],
  brought: JSON.parse(row.brought) as string[],
  times: JSON.parse(row.times) as LabelFact,
})
