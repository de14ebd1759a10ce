import type { LoggedEvent, LoggedObservation } from '../pdp/sequence/replay.ts'
import type { LoggedStep, LoggedValue, Observation } from '../pdp/sequence/step.ts'
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
  *events(): Generator<StoredEvent & LoggedEvent> {
    let after = 0
    for (;;) {
      const rows = this.#sql
        .exec<EventRow>(
          `SELECT ${COLUMNS} FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?`,
          after,
          PAGE,
        )
        .toArray()
      const last = rows.at(-1)
      if (last === undefined) return
      const messages = this.#messages(after, last.sequence)
      for (const row of rows) {
        const event = eventOf(row)
        yield {
          ...event,
          endedAfter: event.ended,
          happened: event.state === 'committed',
          observations: messages.get(row.sequence) ?? [],
        }
      }
      after = last.sequence
    }
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

/** Most values of most calls: as short as it can be. */
type PackedValue = readonly [
  role: string,
  type: string | null,
  digest: string,
  amount: number | null,
]

const packed = (values: readonly LoggedValue[] | null): PackedValue[] | null =>
  values?.map(({ role, type, digest, amount }) => [role, type, digest, amount]) ?? null

function eventOf(row: EventRow): StoredEvent {
  const values = JSON.parse(row.arguments) as PackedValue[] | null
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
    values: values?.map(([role, type, digest, amount]) => ({ role, type, digest, amount })) ?? null,
    state: row.state,
    ended: row.ended,
    answered: row.answered === 1,
    answer: JSON.parse(row.answer) as AdmitAnswer,
  }
}
