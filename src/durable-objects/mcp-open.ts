import type { SuspendedCall } from './mcp-protocol.ts'

/** What is forgotten when it is this old: nobody waits that long. */
const LONGEST_MS = 900_000

/** What a server may have asked at once. More is a flood, and is not passed on. */
const MOST_ASKED = 64

/** The step that answers, and the task that it belongs to. */
export interface Answering {
  readonly decision: string
  readonly task: string | null
  readonly now: number
}

/**
 * Requests of servers that were passed on, by the session that they were passed on in and the id that
 * the client knows them by.
 *
 * INVARIANT: a response is passed on once, and only to what was asked of this very session.
 */
export class AskedRequests {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  /** False: too many are open. */
  add(place: string, request: string, task: string | null, now: number): boolean {
    this.#sql.exec('DELETE FROM mcp_asked WHERE asked_at < ?', now - LONGEST_MS)
    const { open } = this.#sql
      .exec<{ open: number }>(
        'SELECT count(*) AS open FROM mcp_asked WHERE place = ? AND answered_by IS NULL',
        place,
      )
      .one()
    if (open >= MOST_ASKED) return false
    // A server that asks by the same id again means the new one.
    this.#sql.exec(
      `INSERT INTO mcp_asked (place, request, task, asked_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (place, request) DO UPDATE SET
         task = excluded.task, asked_at = excluded.asked_at, answered_by = NULL`,
      place,
      request,
      task,
      now,
    )
    return true
  }

  /**
   * Also where this very decision answered it: its admission may be asked for twice. What was asked in a
   * call under a task is answered under that one, or not at all.
   */
  isOpen(place: string, request: string, { decision, task, now }: Answering): boolean {
    const row = this.#sql
      .exec<{ answered_by: string | null; task: string | null }>(
        'SELECT answered_by, task FROM mcp_asked WHERE place = ? AND request = ? AND asked_at >= ?',
        place,
        request,
        now - LONGEST_MS,
      )
      .toArray()[0]
    if (row === undefined || (row.task !== null && row.task !== task)) return false
    return row.answered_by === null || row.answered_by === decision
  }

  answer(place: string, request: string, decision: string): void {
    this.#sql.exec(
      'UPDATE mcp_asked SET answered_by = ? WHERE place = ? AND request = ?',
      decision,
      place,
      request,
    )
  }

  remove(place: string, request: string): void {
    this.#sql.exec('DELETE FROM mcp_asked WHERE place = ? AND request = ?', place, request)
  }

  forget(place: string): void {
    this.#sql.exec('DELETE FROM mcp_asked WHERE place = ?', place)
  }
}

/** Calls of one session whose stream broke off. */
const MOST_SUSPENDED = 32
/** Of all sessions of this subject: messages are long. */
const MOST_SUSPENDED_IN_ALL = 512

/**
 * Calls that were sent and whose answers may come in another stream, when the client goes on where one
 * broke off (MCP 2025-11-25, basic/transports, resumability). Each is kept as it was admitted, because
 * its answer is decided as the answer to that call; for minutes, and no longer than the session.
 */
export class SuspendedCalls {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
  }

  add(place: string, { decision, body, task }: SuspendedCall, now: number): void {
    this.#sql.exec('DELETE FROM mcp_suspended WHERE suspended_at < ?', now - LONGEST_MS)
    this.#sql.exec(
      `INSERT INTO mcp_suspended (place, decision, body, task, suspended_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      place,
      decision,
      body,
      task,
      now,
    )
    this.#sql.exec(
      `DELETE FROM mcp_suspended WHERE place = ?1 AND decision IN (
         SELECT decision FROM mcp_suspended WHERE place = ?1 ORDER BY suspended_at DESC LIMIT -1 OFFSET ?2)`,
      place,
      MOST_SUSPENDED,
    )
    this.#sql.exec(
      `DELETE FROM mcp_suspended WHERE decision IN (
         SELECT decision FROM mcp_suspended ORDER BY suspended_at DESC LIMIT -1 OFFSET ?)`,
      MOST_SUSPENDED_IN_ALL,
    )
  }

  of(place: string, now: number): readonly SuspendedCall[] {
    return this.#sql
      .exec<{ decision: string; body: string; task: string | null }>(
        'SELECT decision, body, task FROM mcp_suspended WHERE place = ? AND suspended_at >= ?',
        place,
        now - LONGEST_MS,
      )
      .toArray()
  }

  remove(place: string, decision: string): void {
    this.#sql.exec('DELETE FROM mcp_suspended WHERE place = ? AND decision = ?', place, decision)
  }

  forget(place: string): void {
    this.#sql.exec('DELETE FROM mcp_suspended WHERE place = ?', place)
  }
}
