// Pure. The ids of a server's requests as a legacy client sees them: what is asked, and the server's own
// id. So a response says by itself what it answers, and whether that was asked is for its session to say.
import { readJson } from './json.ts'
import { isServerRequest, type ServerRequestMethod } from './methods/server-requests.ts'
import type { MessageId } from './refusal.ts'
import { stringify } from './stringify.ts'

/** `ping` asks nothing of the client, and its answer says nothing. */
export type AskedMethod = ServerRequestMethod | 'ping'

export interface AskedId {
  readonly method: AskedMethod
  /** As the server knows it. */
  readonly id: MessageId
}

export const isAsked = (method: string): method is AskedMethod =>
  method === 'ping' || isServerRequest(method)

/** Ids are echoed and recorded, so they have an end. null: the server's own is too long for that. */
const MAX_LENGTH = 256

export function askedIdOf(method: AskedMethod, id: MessageId): string | null {
  const text = `${method}:${stringify(id)}`
  return text.length <= MAX_LENGTH ? text : null
}

/** null: no id that was ever given to a client. */
export function readAskedId(text: MessageId): AskedId | null {
  if (typeof text !== 'string') return null
  const end = text.indexOf(':')
  const method = text.slice(0, end)
  const id = readJson(text.slice(end + 1))
  if (end < 0 || !isAsked(method) || !id.ok) return null
  const { value } = id
  if (typeof value !== 'string' && typeof value !== 'number') return null
  // INVARIANT: one spelling each, so that what was asked once is answered once.
  return askedIdOf(method, value) === text ? { method, id: value } : null
}
