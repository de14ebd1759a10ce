import { isName } from '../../mcp/names.ts'
import { stringify } from '../../mcp/stringify.ts'
import type { JsonObject } from '../../mcp/value.ts'
import { speaks } from '../../mcp/versions.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Refused } from '../decide.ts'
import type { Relay } from '../relay.ts'
import { tellUpstream } from './tell-upstream.ts'

/** Visible ASCII (MCP 2025-11-25, basic/transports), and with an end: it is sent back each time. */
const UPSTREAM_ID = /^[\x21-\x7e]{1,1024}$/

/** The session that an `initialize` began, as far as it is known when the answer's headers are there. */
export interface Handshake {
  /** What the client will call it; null: the server keeps none. */
  readonly id: string | null
  readonly upstream: string | null
}

/** The error is for the operator. */
export function handshakeOf(response: Response): Result<Handshake, string> {
  const upstream = response.headers.get('mcp-session-id')
  if (upstream === null) return ok({ id: null, upstream })
  return UPSTREAM_ID.test(upstream)
    ? ok({ id: randomId(), upstream })
    : err('a session id that is not visible ASCII')
}

/** 32 bytes that nobody guesses, in base64url. */
const randomId = (): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')

/** INVARIANT: a client learns of no session that is not stored. */
export async function keepHandshake(relay: Relay, result: JsonObject): Promise<Refused | null> {
  const { permit, handshake } = relay
  if (handshake === null) return null
  const { session, decision, open } = permit
  const { protocolVersion: version } = result
  const kept = await session.noteMcp({
    kind: 'opened',
    decision,
    ...handshake,
    protocol: isName(version) && speaks('legacy', version) ? version : null,
    capabilities: stringify(open.capabilities),
    ...open.whose,
  })
  if (kept === null) return { refusal: { at: 'decide', reason: 'session_unavailable' }, decision }
  // What had to make room is given back, as its client would have done.
  for (const upstream of kept.gone) {
    relay.background(tellUpstream(permit, { method: 'DELETE', upstream, version: null }))
  }
  return null
}
