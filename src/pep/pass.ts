import { readJson } from '../mcp/json.ts'
import { withoutOwnWords } from '../mcp/own-words.ts'
import { readResponse } from '../mcp/response.ts'
import { stringify } from '../mcp/stringify.ts'
import { isJsonObject } from '../mcp/value.ts'
import { err, ok, type Result } from '../result.ts'
import { isSessionStream, type Passage, type Relay } from './relay.ts'
import { passAnswer } from './streams/answer.ts'
import { passNotice } from './streams/notices.ts'
import { passRequest } from './streams/requests.ts'
import { passResumed } from './streams/resumed.ts'

/**
 * Reads one message of an upstream. Everything it sends is a result; what is not handled is not
 * passed on. The error is for the operator.
 */
export async function pass(
  sent: string,
  relay: Relay,
  /** It is all that there is, and not one of a stream. */
  isWhole = false,
): Promise<Result<Passage, string>> {
  const parsed = readJson(sent)
  if (!parsed.ok) return err(`not strict JSON: ${parsed.error.detail}`)
  const theirs = isJsonObject(parsed.value) ? withoutOwnWords(parsed.value) : parsed.value
  const text = theirs === parsed.value ? sent : stringify(theirs)
  const message = readResponse(theirs)
  switch (message.kind) {
    case 'response':
      return isSessionStream(relay)
        ? passResumed(message, text, relay)
        : passAnswer(message, text, relay.permit, relay)
    case 'notification':
      return stillAllowed(await passNotice(message, text, relay), relay)
    case 'request':
      return isWhole
        ? err(`asked the client for \`${message.method}\``)
        : stillAllowed(await passRequest(message, text, relay), relay)
    case 'malformed':
      return err('not a JSON-RPC message')
  }
}

/** An answer asks for this itself (streams/answer.ts). */
async function stillAllowed(
  passage: Result<Passage, string>,
  { watch }: Relay,
): Promise<Result<Passage, string>> {
  if (!passage.ok || passage.value.kind !== 'pass') return passage
  const allowed = await watch.mayGoOn()
  return allowed.ok ? passage : ok({ kind: 'withhold', refused: allowed.error })
}
