import type { DecisionRefusal, McpRefusal } from '../pdp/refusal.ts'
import { openEventId } from '../event-ids.ts'
import type { Digests } from './digests.ts'
import { AskedRequests, SuspendedCalls } from './mcp-open.ts'
import type { McpNote, McpNoteAnswer, McpSession, SessionClaim } from './mcp-protocol.ts'

/** Live sessions of one actor at one server; the one that was used least lately goes. */
const MOST_PER_ACTOR = 64
/** Of all actors of this subject. */
const MOST = 1_024
/** Who has the most is not looked for each time. */
const AT_ONCE = 32
/** To know which was used lately is not worth a write each time. */
const USED_WITHIN_MS = 60_000

type Row = {
  id: string
  upstream: string | null
  protocol: string | null
  capabilities: string
  used_at: number
}

/** The part of a step that says whose it is. */
export interface Whose {
  readonly decision: string
  readonly actorKey: string
  readonly server: string
  /** The task that it belongs to; null: to none. */
  readonly task: string | null
}

/** Of which actor, and at which server. */
type Place = Pick<Whose, 'actorKey' | 'server'>

export type Entered =
  | { readonly session: McpSession; readonly store: () => void }
  | { readonly refusal: DecisionRefusal }

/**
 * Legacy MCP sessions of this subject. The client's id of one is ours and random; the server's id of it
 * never leaves. An id is a name for what the actor has opened and proves nothing: whoever sends it was
 * identified before.
 *
 * INVARIANT: an id leads to a session of the same actor at the same server, or nowhere.
 */
export class McpSessions {
  readonly #sql: SqlStorage
  readonly #digests: Digests
  readonly #asked: AskedRequests
  readonly #suspended: SuspendedCalls

  constructor(sql: SqlStorage, digests: Digests) {
    this.#sql = sql
    this.#digests = digests
    this.#asked = new AskedRequests(sql)
    this.#suspended = new SuspendedCalls(sql)
  }

  /**
   * The session of a request, or why it has none. `store` belongs into the transaction of the step that
   * admits it. Nothing is awaited in here.
   */
  enter(claim: SessionClaim, whose: Whose, now: number): Entered {
    const { decision, task } = whose
    if (claim.use === 'begin') {
      return { session: this.#sessionOf(NOBODY, '', claim, { decision, now }), store: NOTHING }
    }
    const own = this.#find(this.#handshake(whose), whose)
    // Servers without sessions take no notice of such an id, and neither do we: it names nothing here.
    const isStranger =
      claim.id !== null && claim.use === 'send' && !OURS.test(claim.id) && own?.upstream == null
    const id = isStranger ? null : claim.id
    const place = id ?? this.#handshake(whose)
    const row = id === null ? own : OURS.test(id) ? this.#find(id, whose) : null
    if (id !== null && row === null) return refused('session_unknown')
    // The last handshake had a session: a request without one would be of nobody's.
    if (id === null && (row?.upstream != null || claim.use === 'end')) {
      return refused('session_missing')
    }
    const known = row ?? NOBODY
    if (
      claim.answers !== null &&
      !this.#asked.isOpen(place, claim.answers, { decision, task, now })
    ) {
      return refused('response_unasked')
    }
    const session = { ...this.#sessionOf(known, place, claim, { decision, now }), isStranger }
    if (claim.lastEventId !== null && session.after === null) return refused('event_unknown')
    return {
      session,
      store: () => {
        if (claim.answers !== null) this.#asked.answer(place, claim.answers, decision)
        if (claim.use === 'end') this.#forget(place)
        else if (row !== null && now - row.used_at > USED_WITHIN_MS) this.#touch(place, now)
      },
    }
  }

  /** To be called inside a transaction, for a decision that was admitted. */
  note(note: McpNote, now: number): McpNoteAnswer {
    switch (note.kind) {
      case 'opened':
        return this.#open(note, now)
      case 'asked':
        return { ...STORED, stored: this.#asked.add(note.place, note.request, note.task, now) }
      case 'unasked':
        this.#asked.remove(note.place, note.request)
        return STORED
      case 'suspended':
        this.#suspended.add(note.place, note, now)
        return STORED
      case 'answered':
        this.#suspended.remove(note.place, note.decision)
        return STORED
      case 'forgotten':
        this.#forget(note.place)
        return STORED
    }
  }

  #open(note: Extract<McpNote, { kind: 'opened' }>, now: number): McpNoteAnswer {
    const { id, upstream, protocol, capabilities, actorKey, server } = note
    const whose = { actorKey, server }
    const gone = id === null ? [] : this.#makeRoom(whose)
    // The handshake itself is kept under a name of its own: it says what requests without an id are.
    for (const name of [this.#handshake(whose), ...(id === null ? [] : [id])]) {
      this.#sql.exec(
        `INSERT INTO mcp_sessions (id, actor, server, upstream, protocol, capabilities, used_at)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
           upstream = excluded.upstream, protocol = excluded.protocol,
           capabilities = excluded.capabilities, used_at = excluded.used_at`,
        name,
        actorKey,
        server,
        upstream,
        protocol,
        capabilities,
        now,
      )
    }
    return { stored: true, gone }
  }

  #makeRoom({ actorKey, server }: Place): string[] {
    const own = this.#sql
      .exec<{ id: string; upstream: string | null }>(
        `SELECT id, upstream FROM mcp_sessions WHERE actor = ? AND server = ? AND id NOT GLOB '.*'
         ORDER BY used_at DESC, id LIMIT -1 OFFSET ?`,
        actorKey,
        server,
        MOST_PER_ACTOR - 1,
      )
      .toArray()
    for (const { id } of own) this.#forget(id)
    for (const id of this.#tooMany()) this.#forget(id)
    return own.flatMap(({ upstream }) => (upstream === null ? [] : [upstream]))
  }

  /** INVARIANT: who has the most makes room, so no actor pushes out one that has fewer. */
  #tooMany(): string[] {
    const { all } = this.#sql
      .exec<{ all: number }>('SELECT count(*) AS "all" FROM mcp_sessions')
      .one()
    if (all <= MOST) return []
    return this.#sql
      .exec<{ id: string }>(
        `SELECT id FROM (
           SELECT id, used_at, row_number() OVER (PARTITION BY actor ORDER BY used_at DESC, id) AS place
           FROM mcp_sessions)
         ORDER BY place DESC, used_at LIMIT ?`,
        all - MOST + AT_ONCE,
      )
      .toArray()
      .map(({ id }) => id)
  }

  #find(id: string, { actorKey, server }: Place): Row | null {
    const row = this.#sql
      .exec<Row>(
        'SELECT id, upstream, protocol, capabilities, used_at FROM mcp_sessions WHERE id = ? AND actor = ? AND server = ?',
        id,
        actorKey,
        server,
      )
      .toArray()[0]
    return row ?? null
  }

  /** No client can send this name: it would be none of ours. */
  #handshake({ actorKey, server }: Place): string {
    return `.${this.#digests.of(`handshake\n${actorKey}\n${server}`)}`
  }

  #touch(id: string, now: number): void {
    this.#sql.exec('UPDATE mcp_sessions SET used_at = ? WHERE id = ?', now, id)
  }

  #forget(place: string): void {
    this.#sql.exec('DELETE FROM mcp_sessions WHERE id = ?', place)
    this.#asked.forget(place)
    this.#suspended.forget(place)
  }

  #sessionOf(
    row: Row,
    place: string,
    { use, lastEventId }: SessionClaim,
    { decision, now }: { readonly decision: string; readonly now: number },
  ): McpSession {
    const own = use === 'listen' ? OF_SESSION : decision
    const began = {
      eventKey: this.#eventKeyOf(place, own),
      after: null,
      resumed: null,
    }
    return {
      place,
      upstream: row.upstream,
      isStranger: false,
      version: row.protocol,
      capabilities: row.capabilities,
      ...((lastEventId === null ? null : this.#goesOn(place, lastEventId, now)) ?? began),
    }
  }

  /**
   * The stream that an event id was given in: that of a call whose answer may still come, or of the
   * session itself.
   *
   * INVARIANT: a stream that goes on answers the call that it was opened for, and no other. The ids of
   * calls are the client's to choose, so they tell nothing apart.
   */
  #goesOn(
    place: string,
    lastEventId: string,
    now: number,
  ): Pick<McpSession, 'eventKey' | 'after' | 'resumed'> | null {
    for (const resumed of [null, ...this.#suspended.of(place, now)]) {
      const eventKey = this.#eventKeyOf(place, resumed?.decision ?? OF_SESSION)
      const after = openEventId(eventKey, lastEventId)
      if (after !== null) return { eventKey, after, resumed }
    }
    return null
  }

  #eventKeyOf(place: string, stream: string): string {
    return this.#digests.of(`event\n${place}\n${stream}`)
  }
}

/** 32 random bytes in base64url. */
const OURS = /^[A-Za-z0-9_-]{43}$/
const refused = (reason: McpRefusal['reason']) => ({
  refusal: { at: 'decide', reason } as McpRefusal,
})
/** What the stream of a session is known by among those of calls. */
const OF_SESSION = ''
const NOTHING = (): void => undefined
const STORED: McpNoteAnswer = { stored: true, gone: [] }
const NOBODY: Row = { id: '', upstream: null, protocol: null, capabilities: '{}', used_at: 0 }
