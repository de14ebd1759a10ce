import { kindOfResult } from '../../mcp/outcome.ts'
import type { UpstreamMessage } from '../../mcp/response.ts'
import { stringify } from '../../mcp/stringify.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Answered } from '../answered.ts'
import type { Answer } from '../observe.ts'
import type { Permit } from '../permit.ts'
import type { Passage, Relay } from '../relay.ts'
import type { ResultAnswer } from '../result.ts'
import { keepHandshake } from './handshake.ts'
import { observed } from './observed.ts'

export type ResponseMessage = Extract<UpstreamMessage, { kind: 'response' }>

/** An error says itself that nothing came about. */
const ERROR: Extract<Answered, { kind: 'pass' }> = { kind: 'pass', result: null, happened: false }
const MAY_RETURN: ResultAnswer = { refused: null, wouldBe: null, labels: [] }

/**
 * The answer to a call: decided by what it holds, told to the history, rewritten where it lists or asks,
 * and released if the call is still allowed. In this order, because each step hangs on the one before.
 */
export async function passAnswer(
  message: ResponseMessage,
  text: string,
  permit: Permit,
  relay: Relay,
): Promise<Result<Passage, string>> {
  // An error about a request that the upstream could not read has no id (JSON-RPC 2.0 §5).
  const unread = message.outcome === 'error' && message.id === null
  if (!unread && message.id !== permit.operation.id) return err('an answer to another request')
  if (message.outcome === 'result') {
    // What is no answer tells the history nothing: the call stays without bound.
    const kind = kindOfResult(permit.operation, message.result)
    if (kind.kind === 'malformed') return err(kind.detail)
  }
  const answer = await permit.mayReturn?.(
    message.outcome === 'result' ? permit.contentOf(message.result) : null,
  )
  const { wouldBe, labels, ...returned } = answer ?? MAY_RETURN
  const answered =
    message.outcome === 'result' && returned.refused === null
      ? await permit.answered(message.result)
      : ERROR
  // INVARIANT: what came is no answer, so its rows stay without bound, and nothing of it is told.
  if (answered.kind === 'malformed') return err(answered.detail)
  const refused = answered.kind === 'refused' ? answered.refused : returned.refused
  const sent = sentOf(message, text.length, labels, permit)
  if (refused !== null) {
    // Should this be lost, its rows stay without bound.
    relay.background(observed({ kind: 'withheld', answer: sent }, permit))
    return ok({ kind: 'withhold', refused })
  }
  // After the decision about it, not beside it: what is told hangs on what was decided.
  const unobserved = await observed(sent, permit)
  if (unobserved !== null) return ok({ kind: 'withhold', refused: unobserved })
  if (message.outcome === 'result') {
    const lost = await keepHandshake(relay, message.result)
    if (lost !== null) return ok({ kind: 'withhold', refused: lost })
  }
  const released = await relay.watch.mayRelease()
  if (!released.ok) return ok({ kind: 'withhold', refused: released.error })
  const { result, happened } = answered.kind === 'pass' ? answered : ERROR
  const passed: Passage = {
    kind: 'pass',
    text: result === null ? text : stringify({ jsonrpc: '2.0', id: message.id, result }),
    last: true,
    happened,
  }
  return ok(wouldBe === null ? passed : { ...passed, remark: `would be withheld: ${wouldBe}` })
}

const sentOf = (
  message: ResponseMessage,
  letters: number,
  labels: readonly string[],
  permit: Permit,
): Answer =>
  message.outcome === 'result'
    ? {
        kind: 'result',
        result: permit.contentOf(message.result),
        letters,
        labels: [...labels, ...permit.arriving(message.result)],
      }
    : { kind: 'error', error: message.error, letters }
