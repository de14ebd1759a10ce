// Whether streams are alive: what `/healthz` tells, and what the clock of the Worker begins.
import type { Result } from '../result.ts'
import type { StoreFault } from '../storage/policy-store.ts'
import { IS_SILENT } from '../storage/signal-facts.ts'
import type { Receiver } from './receiver.ts'
import type { Stream } from './stream.ts'

/** Written at most this often for a stream that has nothing to tell. */
const NOTE_EVERY_MS = 60_000

const HEARD = `INSERT INTO signal_stream_states (tenant, stream, last_heard_at) VALUES (?1, ?2, ?3)
  ON CONFLICT (stream) DO UPDATE SET last_heard_at = excluded.last_heard_at
  WHERE last_heard_at <= excluded.last_heard_at - ?4`

export async function heardAt(receiver: Receiver, stream: Stream, at: number): Promise<void> {
  const every = Math.min(NOTE_EVERY_MS, (stream.poll?.everySeconds ?? 0) * 1000)
  try {
    await receiver.database.prepare(HEARD).bind(stream.tenant, stream.id, at, every).run()
  } catch {
    receiver.report(stream.id, 'the sign of life could not be written')
  }
}

const SILENT = `SELECT stream.id FROM signal_streams AS stream
  LEFT JOIN signal_stream_states AS heard ON heard.stream = stream.id
  WHERE ${IS_SILENT()} ORDER BY stream.id LIMIT 100`

/** Streams that were not heard for longer than their rows allow, or say that they are off. */
export async function silentStreams(
  read: Receiver['read'],
): Promise<Result<readonly string[], StoreFault>> {
  const rows = await read((database) => database.prepare(SILENT).all<{ id: string }>())
  return rows.ok ? { ok: true, value: rows.value.results.map(({ id }) => id) } : rows
}

const POLLED = `SELECT id FROM signal_streams WHERE delivery = 'poll' AND active = 1 ORDER BY id`

/** Called by the clock of the Worker: every polled stream has its object at work. */
export async function beginPolling(
  read: Receiver['read'],
  begin: (stream: string) => Promise<void>,
): Promise<void> {
  const rows = await read((database) => database.prepare(POLLED).all<{ id: string }>())
  if (!rows.ok) return
  for (const { id } of rows.value.results) await begin(id)
}
