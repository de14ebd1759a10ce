import type { UpstreamMessage } from '../../mcp/response.ts'
import { stringify } from '../../mcp/stringify.ts'
import { err, ok, type Result } from '../../result.ts'
import type { Answered } from '../answered.ts'
import type { Refused } from '../decide.ts'
import type { Answer } from '../observe.ts'
import type { Permit } from '../permit.ts'
import type { Passage, Relay } from '../relay.ts'
import type { ResultAnswer } from '../result.ts'
import { keepHandshake } from './handshake.ts'
import { observed } from './observed.ts'
import { mayBeError } from './requests.ts'

export type ResponseMessage = Extract<UpstreamMessage, { kind: 'response' }>

/** An error says itself that nothing came about. */
const ERROR: Extract<Answered, { kind: 'pass' }> = { kind: 'pass', result: null, happened: false }
const MAY_RETURN: ResultAnswer = { refused: null, wouldBe: null, labels: [] }

/**
 * The answer to a call: rewritten where it lists or asks, decided by what is left of it, told to the
 * history, and released if the call is still allowed. In this order, because each step hangs on the one
 * before.
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
  if (message.outcome === 'error' && !(await mayBeError(message.error, relay))) {
    return err('an error that asks the client for what it may not')
  }
  const answered = message.outcome === 'result' ? await permit.answered(message.result) : ERROR
  // INVARIANT: what came is no answer, so its rows stay without bound, and nothing of it is told.
  if (answered.kind === 'malformed') return err(answered.detail)
  const withhold = (refused: Refused): Result<Passage, string> => {
    // All that the upstream has gathered. Should this be lost, its rows stay without bound.
    const answer = sentOf(message, text.length, [], permit)
    relay.background(observed({ kind: 'withheld', answer }, permit))
    return ok({ kind: 'withhold', refused })
  }
  if (answered.kind === 'refused') return withhold(answered.refused)
  // INVARIANT: from here on there is only what the client gets. What it never sees gives no value an
  // origin, and brings no label.
  const { result, happened } = answered
  const shown = message.outcome === 'result' && result !== null ? { ...message, result } : message
  const written = result === null ? text : stringify({ jsonrpc: '2.0', id: message.id, result })
  const content = shown.outcome === 'result' ? permit.contentOf(shown.result) : null
  const { refused, wouldBe, labels } = (await permit.mayReturn?.(content)) ?? MAY_RETURN
  if (refused !== null) return withhold(refused)
  // After the decision about it, not beside it: what is told hangs on what was decided.
  const unobserved = await observed(sentOf(shown, written.length, labels, permit), permit)
  if (unobserved !== null) return ok({ kind: 'withhold', refused: unobserved })
  if (message.outcome === 'result') {
    const lost = await keepHandshake(relay, message.result)
    if (lost !== null) return ok({ kind: 'withhold', refused: lost })
  }
  const released = await relay.watch.mayRelease()
  if (!released.ok) return ok({ kind: 'withhold', refused: released.error })
  const passed: Passage = { kind: 'pass', text: written, last: true, happened }
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
