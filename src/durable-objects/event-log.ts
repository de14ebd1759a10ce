import type { LoggedEvent, LoggedObservation } from '../pdp/sequence/replay.ts'
import type { LoggedStep, LoggedValue, Observation } from '../pdp/sequence/step.ts'
import { NO_DENIAL_FACT } from './denial.ts'
import type { AdmitAnswer, OutcomeState, SeenTool } from './session-protocol.ts'

export type EventState = OutcomeState | 'pending' | 'denied'

/** One call of a session, as its history keeps it: values by digest only. */
export interface StoredEvent extends LoggedStep {
  readonly decision: string
  /** Labels that no row of the tool gave: a change of those rows leaves them. */
  readonly fixed: readonly string[]
  /** Labels that it may have carried: nobody kept the arguments that would tell. They clear nothing. */
  readonly possible: readonly string[]
  readonly state: EventState
  /** The latest place in the session when it ended; null: it has not, or nobody said so. */
  readonly ended: number | null
  readonly answered: boolean
  readonly answer: AdmitAnswer
}

/** The same as it is told anew: without what was answered, but for why it was refused. */
export interface ToldEvent
  extends Omit<StoredEvent, 'decision' | 'answer' | 'answered' | 'ended'>, LoggedEvent {
  readonly reason: string | null
}

/** Whether it was refused for a reason that is no denial. */
export const leavesNoFact = ({ reason }: Pick<ToldEvent, 'reason'>): boolean =>
  reason !== null && (NO_DENIAL_FACT as ReadonlySet<string>).has(reason)

type EventRow = {
  sequence: number
  decision: string
  at: number
  actor: string
  labels: string
  state: EventState
  answer: string
  task: string | null
  server: string
  tool: string
  access: string
  fixed: string
  possible: string
  arguments: string
  ended: number | null
  answered: number
}

type ToldRow = Omit<EventRow, 'decision' | 'answer' | 'answered'> & { reason: string | null }

type MessageRow = { sequence: number; after: number; observation: string }

/** Values have their origins elsewhere (session-memory.ts): of a message this is told anew. */
type KeptOfMessage = Omit<LoggedObservation, 'after'>

/** The order of a session's calls, in its own database: append-only but for how each call ended. */
export class EventLog {
  readonly #sql: SqlStorage
  #lastSequence: number
  #lastAt: number

  constructor(sql: SqlStorage) {
    this.#sql = sql
    const last = sql
      .exec<{ sequence: number; at: number }>(
        'SELECT sequence, at FROM events ORDER BY sequence DESC LIMIT 1',
      )
      .toArray()[0]
    this.#lastSequence = last?.sequence ?? 0
    this.#lastAt = last?.at ?? 0
  }

  /** The latest place that was given out. */
  get lastSequence(): number {
    return this.#lastSequence
  }

  /** The next place in the order. The session's clock never runs backwards. */
  nextMoment(now: number): { readonly sequence: number; readonly at: number } {
    return { sequence: this.#lastSequence + 1, at: Math.max(now, this.#lastAt) }
  }

  find(decision: string): StoredEvent | null {
    const row = this.#sql
      .exec<EventRow>(`SELECT ${COLUMNS} FROM events WHERE decision = ?`, decision)
      .toArray()[0]
    return row === undefined ? null : eventOf(row)
  }

  /** All that follow is to be called inside a step's transaction. */
  add(event: StoredEvent): void {
    const { now, decision, actorKey, labels, state, answer, taskKey, server, tool, access } = event
    this.#sql.exec(
      `INSERT INTO events (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      now.sequence,
      decision,
      now.at,
      actorKey,
      JSON.stringify(labels),
      state,
      JSON.stringify(answer),
      taskKey,
      server,
      tool,
      access,
      JSON.stringify(event.fixed),
      JSON.stringify(event.possible),
      JSON.stringify(packed(event.values)),
      event.ended,
      event.answered ? 1 : 0,
    )
    if (state !== 'denied') {
      this.#sql.exec(
        'INSERT INTO seen_tools (server, tool) VALUES (?, ?) ON CONFLICT DO NOTHING',
        server,
        tool,
      )
    }
  }

  /** What was added is now the latest: only once it is stored. */
  added({ now }: StoredEvent): void {
    this.#lastSequence = now.sequence
    this.#lastAt = now.at
  }

  /** False where the call was settled before. */
  settle(decision: string, state: OutcomeState): boolean {
    const { rowsWritten } = this.#sql.exec(
      "UPDATE events SET state = ?, ended = ? WHERE decision = ? AND state = 'pending'",
      state,
      this.#lastSequence,
      decision,
    )
    return rowsWritten > 0
  }

  observe(event: StoredEvent, { labels, rows, overflow, answer }: Observation): void {
    this.#sql.exec(
      'INSERT INTO messages (sequence, after, observation) VALUES (?, ?, ?)',
      event.now.sequence,
      this.#lastSequence,
      JSON.stringify({ labels, rows, overflow, answer } satisfies KeptOfMessage),
    )
    if (answer) {
      this.#sql.exec('UPDATE events SET answered = 1 WHERE sequence = ?', event.now.sequence)
    }
  }

  /** The labels that its messages brought until now. */
  broughtBy({ now: { sequence } }: StoredEvent): string[] {
    const messages = this.#messages(sequence - 1, sequence).get(sequence) ?? []
    return messages.flatMap(({ labels }) => labels)
  }

  relabel(sequence: number, labels: readonly string[], possible: readonly string[]): void {
    this.#sql.exec(
      'UPDATE events SET labels = ?, possible = ? WHERE sequence = ?',
      JSON.stringify(labels),
      JSON.stringify(possible),
      sequence,
    )
  }

  /** The tools of all admitted calls. */
  seenTools(): SeenTool[] {
    return this.#sql
      .exec<{ server: string; tool: string }>('SELECT server, tool FROM seen_tools')
      .toArray()
      .map(({ server, tool }) => [server, tool])
  }

  /** In order, page by page: a history may be larger than memory. */
  *events(): Generator<ToldEvent> {
    const parse = parser()
    let after = 0
    for (;;) {
      const page = this.#told('sequence > ? ORDER BY sequence LIMIT ?', parse, after, PAGE)
      const last = page.at(-1)
      if (last === undefined) return
      yield* page
      after = last.now.sequence
    }
  }

  /** The first of all that are up to this place, and older than that. */
  oldest(until: number, before: number, limit: number): ToldEvent[] {
    const where = 'sequence <= ? AND at < ? ORDER BY sequence LIMIT ?'
    return this.#told(where, parser(), until, before, limit)
  }

  /** INVARIANT: only the oldest, so that what is left is in order. */
  forget(until: number): void {
    this.#sql.exec('DELETE FROM messages WHERE sequence <= ?', until)
    this.#sql.exec('DELETE FROM events WHERE sequence <= ?', until)
  }

  #told(where: string, parse: Parser, ...bound: number[]): ToldEvent[] {
    const rows = this.#sql.exec<ToldRow>(`${TOLD} WHERE ${where}`, ...bound).toArray()
    const [first, last] = [rows[0], rows.at(-1)]
    if (first === undefined || last === undefined) return []
    const messages = this.#messages(first.sequence - 1, last.sequence)
    return rows.map((row) => ({
      now: { sequence: row.sequence, at: row.at },
      actorKey: row.actor,
      taskKey: row.task,
      server: row.server,
      tool: row.tool,
      access: row.access,
      labels: parse(row.labels),
      fixed: parse(row.fixed),
      possible: parse(row.possible),
      values: unpacked(row.arguments),
      state: row.state,
      reason: row.reason,
      endedAfter: row.ended,
      happened: row.state === 'committed',
      observations: messages.get(row.sequence) ?? [],
    }))
  }

  #messages(after: number, until: number): Map<number, LoggedObservation[]> {
    const found = new Map<number, LoggedObservation[]>()
    const rows = this.#sql.exec<MessageRow>(
      'SELECT sequence, after, observation FROM messages WHERE sequence > ? AND sequence <= ? ORDER BY id',
      after,
      until,
    )
    for (const row of rows) {
      const kept = JSON.parse(row.observation) as KeptOfMessage
      const those = found.get(row.sequence) ?? []
      found.set(row.sequence, those)
      those.push({ ...kept, after: row.after })
    }
    return found
  }
}

const PAGE = 500

const COLUMNS =
  'sequence, decision, at, actor, labels, state, answer, task, server, tool, access, fixed, possible, arguments, ended, answered'

const TOLD =
  "SELECT sequence, at, actor, labels, state, task, server, tool, access, fixed, possible, arguments, ended, CASE state WHEN 'denied' THEN answer ->> '$.refusal.reason' END AS reason FROM events"

type Parser = (text: string) => readonly string[]

/** The same few lists come again and again. */
function parser(): Parser {
  const known = new Map<string, readonly string[]>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const list = JSON.parse(text) as string[]
    known.set(text, list)
    return list
  }
}

/** Most values of most calls: as short as it can be. */
type PackedValue = readonly [
  role: string,
  type: string | null,
  digest: string,
  amount: number | null,
  named?: string,
]

const packed = (values: readonly LoggedValue[] | null): PackedValue[] | null =>
  values?.map(({ role, type, digest, amount, named }) =>
    named === undefined ? [role, type, digest, amount] : [role, type, digest, amount, named],
  ) ?? null

const unpacked = (text: string): LoggedValue[] | null =>
  text === '[]'
    ? []
    : ((JSON.parse(text) as PackedValue[] | null)?.map(([role, type, digest, amount, named]) => ({
        role,
        type,
        digest,
        amount,
        ...(named === undefined ? {} : { named }),
      })) ?? null)

function eventOf(row: EventRow): StoredEvent {
  return {
    decision: row.decision,
    now: { sequence: row.sequence, at: row.at },
    actorKey: row.actor,
    taskKey: row.task,
    server: row.server,
    tool: row.tool,
    access: row.access,
    labels: JSON.parse(row.labels) as string[],
    fixed: JSON.parse(row.fixed) as string[],
    possible: JSON.parse(row.possible) as string[],
    values: unpacked(row.arguments),
    state: row.state,
    ended: row.ended,
    answered: row.answered === 1,
    answer: JSON.parse(row.answer) as AdmitAnswer,
  }
}
