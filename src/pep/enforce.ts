import { NO_REPLY, replyTo } from '../mcp/reply.ts'
import type { Result } from '../result.ts'
import { decide, unrecorded, type Refused } from './decide.ts'
import { schemeOf } from '../authentication/authenticate.ts'
import { credentialsOf } from '../authentication/credentials.ts'
import type { Background, Doors } from './doors.ts'
import { forward } from './forward.ts'
import { identify } from './identify.ts'
import { metadataUrl, receive, type Received } from './receive.ts'
import type { Refusal } from './refusal.ts'
import { refuse } from './refuse.ts'
import { understandRequest } from './streams/understand.ts'

/**
 * One request at a protected MCP endpoint: its answer, or its refusal in a form the client can read.
 * A fault is not caught here: `app.ts` turns it into a 500, and nothing undecided was forwarded.
 */
export async function enforce(
  request: Request,
  server: string,
  doors: Doors,
  background: Background,
): Promise<Response> {
  const received = await receive(request, server, doors.config)
  const outcome = received.ok
    ? await journey(received.value, doors, background)
    : unrecorded(received.error)
  if (outcome.ok) return outcome.value
  const { decision } = outcome.error
  const refusal = await challengeable(outcome.error.refusal, server, doors)
  if (decision === null) {
    doors.unrecorded.set(refusal.reason, (doors.unrecorded.get(refusal.reason) ?? 0) + 1)
  }
  return refuse(refusal, {
    ...(received.ok ? replyTo(received.value.message, received.value.headers) : NO_REPLY),
    decision,
    resourceMetadata: metadataUrl(request, server),
    scheme: schemeOf(credentialsOf(request)),
    scopes: doors.policies.requiredScopes(server),
  })
}

/** A first challenge names the server's scopes, and no challenge helps where there is no server. */
async function challengeable(refusal: Refusal, server: string, doors: Doors): Promise<Refusal> {
  if (refusal.reason !== 'credentials_missing') return refusal
  const known = await doors.policies.lastKnown(server)
  return known.ok && known.value === null ? { at: 'receive', reason: 'server_unknown' } : refusal
}

/**
 * The path of a call, top to bottom: receive, authenticate, understand, decide, forward, record.
 * Each step takes what the step before it returned, so that a wrong order does not compile.
 */
async function journey(
  received: Received,
  doors: Doors,
  background: Background,
): Promise<Result<Response, Refused>> {
  // authenticate: door one, who is calling
  const caller = await identify(received, doors)
  if (!caller.ok) return unrecorded(caller.error)

  // understand: what exactly is asked
  const operation = understandRequest(received)
  if (!operation.ok) return unrecorded(operation.error)

  // decide: door two, whether this act is allowed now; the record is durable when it returns
  const permit = await decide(received, caller.value, operation.value, doors, background)
  if (!permit.ok) return permit

  // forward: the decided bytes, once; and record what became of them as the answer passes
  const answered = await forward(received, permit.value, background)
  // RFC 9449 §8.2: the client need not be refused once to learn the next one.
  if (answered.ok && permit.value.nonce !== null) {
    answered.value.headers.set('dpop-nonce', permit.value.nonce)
  }
  return answered
}
