import { accepts } from './receive.ts'
import type { OpenPermit } from './streams/open.ts'

/**
 * What goes to the upstream besides the body. The client's credential, cookies and Origin are not
 * on the list, and neither is anything that names the client's connection.
 */
const REQUEST_HEADERS = ['mcp-protocol-version', 'mcp-method', 'mcp-name'] as const
const PARAMETER_HEADERS = 'mcp-param-'
export const EVENT_STREAM = 'text/event-stream'

export function requestHeaders(
  inbound: Headers,
  { operation, open, credential }: OpenPermit,
): Headers {
  // What is compressed cannot be read on the way through.
  const headers = new Headers({ 'accept-encoding': 'identity' })
  if (operation.method === 'GET') {
    headers.set('accept', EVENT_STREAM)
  } else if (operation.method !== 'DELETE') {
    headers.set('content-type', 'application/json')
    headers.set('accept', acceptedBy(inbound))
  }
  for (const [name, value] of inbound) {
    if (name.startsWith(PARAMETER_HEADERS)) headers.set(name, value)
  }
  for (const name of REQUEST_HEADERS) {
    const value = inbound.get(name)
    if (value !== null) headers.set(name, value)
  }
  // INVARIANT: a server's own ids of sessions and events go to that server alone, for whom it gave them.
  const { upstream = null, after = null } = open.mcp ?? {}
  if (upstream !== null) headers.set('mcp-session-id', upstream)
  if (after !== null) headers.set('last-event-id', after)
  for (const [name, value] of Object.entries(credential)) headers.set(name, value)
  return headers
}

/** A client that takes no streams must not be sent one. */
const acceptedBy = (inbound: Headers): string =>
  accepts(inbound.get('accept'), EVENT_STREAM)
    ? `application/json, ${EVENT_STREAM}`
    : 'application/json'
