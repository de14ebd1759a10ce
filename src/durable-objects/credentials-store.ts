import type { TokenIssuer } from '../storage/compiled-credentials.ts'
import type { CallContext, EndCause } from '../upstream/credentials/context.ts'
import type { CredentialEvent } from '../storage/credential-kinds.ts'
import { actorKeyOf } from '../question/history-keys.ts'
import type { BegunTask } from '../upstream/credentials/running-tasks-protocol.ts'
import { migrate } from './credentials-schema.ts'

/** A token as it is kept. Times are epoch milliseconds. */
export interface Kept {
  readonly id: string
  readonly place: string
  readonly state: 'live' | 'ending'
  readonly sealed: string
  readonly about: About
  readonly usableUntil: number
  readonly goneAt: number
  readonly attempts: number
  readonly nextAttemptAt: number
}

export type NewToken = Omit<Kept, 'state' | 'attempts' | 'nextAttemptAt'>

/** For whom and what, and who takes it back. No credential is in it. */
export interface About {
  readonly decision: string
  readonly context: CallContext
  readonly giver: TokenIssuer
  /** The server that it was got for, as its issuer knows it. */
  readonly audience: string
}

export interface EventDetails {
  readonly event: CredentialEvent
  readonly cause?: EndCause | undefined
  readonly status?: number | null
  readonly attempts?: number
  readonly detail?: string
}

/** Tokens of one subject, and what became of them until the log knows. */
export class CredentialsStore {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#sql = storage.sql
    migrate(storage)
  }

  atomically(step: () => void): void {
    this.#storage.transactionSync(step)
  }

  find(place: string, now: number): Kept | null {
    const [row] = this.#sql
      .exec<Row>(
        "SELECT * FROM credentials WHERE place = ? AND state = 'live' AND usable_until > ?",
        place,
        now,
      )
      .toArray()
    return row === undefined ? null : keptOf(row)
  }

  all(): readonly Kept[] {
    return this.#sql.exec<Row>('SELECT * FROM credentials ORDER BY id').toArray().map(keptOf)
  }

  live(): readonly Kept[] {
    return this.all().filter(({ state }) => state === 'live')
  }

  /** To be taken back by now: who waited longest first. */
  due(now: number): readonly Kept[] {
    return this.all()
      .filter(({ state, nextAttemptAt }) => state === 'ending' && nextAttemptAt <= now)
      .toSorted((a, b) => a.nextAttemptAt - b.nextAttemptAt)
  }

  /**
   * What can tell a server to end a task: the token that its call carried, or else one that later calls of
   * the same actor to that server carried under the same task, whichever lasts longest.
   *
   * INVARIANT: one for this audience that calls were let use. It may be about to be taken back: to end
   * something is all that may still be done with it.
   */
  forEnding({ context, credential }: BegunTask, audience: string, now: number): Kept | null {
    const { actor, server, task } = context
    const fitting = this.all()
      .filter(
        ({ about, usableUntil, goneAt }) =>
          usableUntil > 0 &&
          goneAt > now &&
          about.audience === audience &&
          about.context.server === server &&
          actorKeyOf(about.context.actor) === actorKeyOf(actor) &&
          (about.context.task?.id ?? null) === (task?.id ?? null),
      )
      .toSorted((a, b) => b.goneAt - a.goneAt)
    return fitting.find(({ id }) => id === credential) ?? fitting[0] ?? null
  }

  /**
   * In place of what was got for the same before. INVARIANT: no more than `most` live at a time; what would
   * end first makes room.
   */
  keep(token: NewToken, most: number, now: number): void {
    this.atomically(() => {
      const live = this.live()
      const others = live.filter(({ place }) => place !== token.place)
      for (const one of live) if (one.place === token.place) this.end(one, 'expired', now)
      const surplus = Math.max(others.length - most + 1, 0)
      const first = others.toSorted((a, b) => a.usableUntil - b.usableUntil).slice(0, surplus)
      for (const one of first) this.end(one, 'too_many', now)
      this.#add(token, 'live')
      this.tell(token, { event: 'issued' }, now)
    })
  }

  /** It exists, and nobody shall have it: kept only to be taken back. */
  refuse(token: Omit<NewToken, 'usableUntil'>, detail: string, now: number): void {
    this.atomically(() => {
      this.#add({ ...token, usableUntil: 0 }, 'ending')
      this.tell(token, { event: 'refused', detail }, now)
    })
  }

  /** Used no more, from here on. A look may find what a call has just ended: that is told once. */
  end(kept: Kept, cause: EndCause, now: number): void {
    this.atomically(() => {
      const ended = this.#sql
        .exec(
          "UPDATE credentials SET state = 'ending' WHERE id = ? AND state = 'live' RETURNING id",
          kept.id,
        )
        .toArray()
      if (ended.length > 0) this.tell(kept, { event: 'ended', cause }, now)
    })
  }

  tryLater(id: string, nextAttemptAt: number): void {
    this.#sql.exec(
      'UPDATE credentials SET attempts = attempts + 1, next_attempt_at = ? WHERE id = ?',
      nextAttemptAt,
      id,
    )
  }

  /** Nothing is left to do for it. */
  finish(kept: Kept, details: EventDetails, now: number): void {
    this.atomically(() => {
      this.#sql.exec('DELETE FROM credentials WHERE id = ?', kept.id)
      this.tell(kept, details, now)
    })
  }

  tell({ id, about }: Pick<Kept, 'id' | 'about'>, details: EventDetails, now: number): void {
    const { context, decision, giver } = about
    const { tenant, issuer, subject, client, agent } = context.actor
    const row = {
      id: crypto.randomUUID(),
      tenant,
      credential: id,
      event: details.event,
      cause: details.cause ?? null,
      issuer: giver.url,
      subject_issuer: issuer,
      subject,
      client,
      agent,
      server: context.server,
      task: context.task?.id ?? null,
      decision,
      status: details.status ?? null,
      attempts: details.attempts ?? 0,
      detail: details.detail ?? '',
      happened_at: now,
    }
    this.#sql.exec('INSERT INTO events (row) VALUES (?)', JSON.stringify(row))
  }

  #add(token: NewToken, state: Kept['state']): void {
    this.#sql.exec(
      'INSERT INTO credentials (id, place, state, sealed, about, usable_until, gone_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      token.id,
      token.place,
      state,
      token.sealed,
      JSON.stringify(token.about),
      token.usableUntil,
      token.goneAt,
    )
  }

  waiting(limit: number): readonly { readonly id: number; readonly row: string }[] {
    return this.#sql
      .exec<{ id: number; row: string }>('SELECT id, row FROM events ORDER BY id LIMIT ?', limit)
      .toArray()
  }

  /** The log has them. */
  told(last: number): void {
    this.#sql.exec('DELETE FROM events WHERE id <= ?', last)
  }
}

type Row = {
  id: string
  place: string
  state: 'live' | 'ending'
  sealed: string
  about: string
  usable_until: number
  gone_at: number
  attempts: number
  next_attempt_at: number
}

const keptOf = (row: Row): Kept => ({
  id: row.id,
  place: row.place,
  state: row.state,
  sealed: row.sealed,
  about: JSON.parse(row.about) as About,
  usableUntil: row.usable_until,
  goneAt: row.gone_at,
  attempts: row.attempts,
  nextAttemptAt: row.next_attempt_at,
})
