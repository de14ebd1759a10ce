import { stringify } from '../../mcp/stringify.ts'
import type { Relay } from '../relay.ts'

/** A call whose message is longer cannot be waited for in another stream. */
const MAX_BODY_LENGTH = 65_536

/** Whether the stream of this call can go on elsewhere: a legacy session, and a message to know it by. */
export const mayGoOn = ({ permit }: Relay): boolean =>
  permit.operation.id !== null && permit.open.mcp?.upstream != null

/** False: it is not stored, so no answer in another stream would be known as the one to this call. */
export async function suspend({ permit }: Relay): Promise<boolean> {
  const { session, decision, open, task } = permit
  const body = stringify(open.message)
  if (body.length > MAX_BODY_LENGTH) return false
  const place = open.mcp?.place ?? ''
  return (await session.noteMcp({ kind: 'suspended', decision, place, body, task })) !== null
}
