import { stringify } from '../../mcp/stringify.ts'
import type { JsonObject } from '../../mcp/value.ts'

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

/** INVARIANT: nothing in it comes from a client, so there is nothing to decide. */
export async function tellUpstream(
  url: URL,
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
