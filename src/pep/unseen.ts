import { readJson } from '../mcp/json.ts'
import { readResponse } from '../mcp/response.ts'
import type { Relay } from './relay.ts'

/**
 * One message of a call that may not be answered any more. Nobody gets it, and it may say all the same that
 * something runs on. True: it was the answer.
 */
export async function noteUnseen(
  sent: string,
  { permit }: Pick<Relay, 'permit'>,
): Promise<boolean> {
  const read = readJson(sent)
  const message = read.ok ? readResponse(read.value) : null
  if (message?.kind !== 'response') return false
  if (message.outcome === 'result' && message.id === permit.operation.id) {
    await permit.unseen(message.result)
  }
  return true
}
