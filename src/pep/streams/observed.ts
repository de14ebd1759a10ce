import type { JsonObject } from '../../mcp/value.ts'
import type { Refused } from '../decide.ts'
import { observationOf, type Sent } from '../observe.ts'
import type { Permit } from '../permit.ts'
import { isSessionStream, type Relay } from '../relay.ts'
import { undecided } from '../result.ts'

/** INVARIANT: what the history could not be told does not reach the client. */
export async function observed(
  sent: Sent,
  { observe: tell, decision }: Pick<Permit, 'observe' | 'decision'>,
): Promise<Refused | null> {
  if (tell === null || (await tell(sent))) return null
  return undecided(decision).refused
}

/**
 * A message beside the answer. In a call's own stream it is about that call; in a session's it may be
 * about anything, so it counts as whatever the server's tools may have read.
 */
export async function observedNotice(
  params: JsonObject | null,
  letters: number,
  relay: Relay,
): Promise<Refused | null> {
  if (params === null) return null
  const { permit } = relay
  const sent: Sent = { kind: 'notice', params, letters }
  if (!isSessionStream(relay)) return observed(sent, permit)
  const { session, decision, open } = permit
  const labels = await open.reach.sources()
  const message = labels === null ? null : { ...observationOf(decision, sent, []), labels }
  return message !== null && (await session.observe(message)) ? null : undecided(decision).refused
}
