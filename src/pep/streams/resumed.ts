import type { SuspendedCall } from '../../durable-objects/mcp-protocol.ts'
import { readJson } from '../../mcp/json.ts'
import { messageId } from '../../mcp/message.ts'
import type { Operation } from '../../mcp/operation.ts'
import { understand } from '../../mcp/understand.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Refused } from '../decide.ts'
import type { Permit } from '../permit.ts'
import { refusalMessage } from '../refuse.ts'
import { withheldBecause, type Passage, type Relay } from '../relay.ts'
import { passAnswer, type ResponseMessage } from './answer.ts'

/**
 * An answer in a stream that goes on where that of a call broke off: to that very call, and decided as
 * the answer to it.
 */
export async function passResumed(
  message: ResponseMessage,
  text: string,
  relay: Relay,
): Promise<Result<Passage, string>> {
  const { open, session } = relay.permit
  const { mcp } = open
  const call = mcp?.resumed ?? null
  if (mcp === null || call === null || message.id === null || idIn(call.body) !== message.id) {
    return err('an answer to nothing that is open')
  }
  const { decision } = call
  const own = await permitOf(call, message, relay)
  if (!own.ok) return own
  const { permit } = own.value
  const unread = permit?.observe === null
  const settle = (
    ...outcome: [state: 'committed' | 'withheld', detail: string, erred: boolean]
  ) => {
    const [state, detail, erred] = outcome
    const { tenant } = relay.permit
    relay.background(
      permit?.settle(state, detail, unread, erred) ??
        session.settle(tenant, decision, state, detail, true, erred),
    )
    relay.background(session.noteMcp({ kind: 'answered', decision, place: mcp.place }))
  }
  const passage =
    permit === null
      ? ok({ kind: 'withhold', refused: own.value.refused } as const)
      : await passAnswer(message, text, permit, relay)
  if (!passage.ok || passage.value.kind === 'drop') return passage
  if (passage.value.kind === 'withhold') {
    const { refused } = passage.value
    settle('withheld', withheldBecause(refused), true)
    const said = refusalMessage(refused.refusal, {
      id: message.id,
      era: 'legacy',
      toolCall: own.value.operation.method === 'tools/call',
      decision: refused.decision,
    })
    return ok({ kind: 'pass', text: JSON.stringify(said), last: false })
  }
  const { remark = 'in a stream that went on', happened = false } = passage.value
  settle('committed', remark, !happened)
  return ok({ ...passage.value, last: false })
}

const idIn = (body: string) => {
  const read = readJson(body)
  return read.ok ? messageId(read.value) : null
}

type Resumed = { readonly operation: Operation } & (
  | { readonly permit: Permit; readonly refused: null }
  | { readonly permit: null; readonly refused: Refused }
)

/** The operation of that call, read again from its own message. */
async function permitOf(
  { body, decision, task }: SuspendedCall,
  message: ResponseMessage,
  { permit }: Relay,
): Promise<Result<Resumed, string>> {
  const read = readJson(body)
  const version = permit.open.mcp?.version ?? permit.operation.version
  const headers = { protocolVersion: version, method: null, name: null, parameters: new Map() }
  const operation = read.ok ? understand(read.value, headers) : read
  if (!read.ok || !operation.ok) return err('a call that cannot be read again')
  const came = message.outcome === 'result' ? { result: message.result } : {}
  const about = { operation: operation.value, message: read.value, task, ...came }
  const own = await permit.open.permitFor(about, decision)
  return ok(
    own.ok
      ? { operation: operation.value, permit: own.value, refused: null }
      : { operation: operation.value, permit: null, refused: own.error },
  )
}
