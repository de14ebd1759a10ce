import { stringify } from '../../mcp/stringify.ts'
import type { JsonObject } from '../../mcp/value.ts'
import type { Permit } from '../permit.ts'

/** Nobody waits for it. */
const BUDGET_MS = 5_000

/** What Sallyport says to a server by itself, within a session that it relays. */
interface Word {
  readonly method: 'POST' | 'DELETE'
  /** The server's id of the session; null: it has none. */
  readonly upstream: string | null
  readonly version: string | null
  readonly message?: JsonObject
}

/**
 * INVARIANT: nothing in it comes from a client, so there is nothing to decide. It carries what the
 * actor's own message would, made for this one.
 */
export async function tellUpstream(
  { upstream: url, carry }: Pick<Permit, 'upstream' | 'carry'>,
  { method, upstream, version, message }: Word,
): Promise<void> {
  const headers = new Headers({ 'accept-encoding': 'identity' })
  if (upstream !== null) headers.set('mcp-session-id', upstream)
  if (version !== null) headers.set('mcp-protocol-version', version)
  if (message !== undefined) {
    headers.set('content-type', 'application/json')
    headers.set('accept', 'application/json, text/event-stream')
  }
  try {
    const carried = await carry(message ?? { method }, crypto.randomUUID())
    if (!carried.ok) return
    for (const [name, value] of Object.entries(carried.value.headers)) headers.set(name, value)
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(BUDGET_MS),
      ...(message === undefined ? {} : { body: stringify(message) }),
    })
    await response.body?.cancel()
  } catch (error) {
    console.warn('a server could not be told', String(error))
  }
}
