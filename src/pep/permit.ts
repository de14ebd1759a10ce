import type { McpSession } from '../durable-objects/mcp-protocol.ts'
import type { OutcomeState, Recalled } from '../durable-objects/session-protocol.ts'
import type { Operation } from '../mcp/operation.ts'
import { bringsOutput, contentOf } from '../mcp/outcome.ts'
import type { JsonObject } from '../mcp/value.ts'
import { labelsOfCall } from '../pdp/tool-class.ts'
import type { Question } from '../question/question.ts'
import type { CompiledTenant } from '../storage/compiled.ts'
import type { Carried } from '../upstream/credentials/carried.ts'
import { answered, type Answered } from './answered.ts'
import type { Carry } from './credential-for.ts'
import type { Background, Doors } from './doors.ts'
import type { Judged } from './judge.ts'
import { observationOf, type Sent } from './observe.ts'
import { decideResult, type ResultAnswer } from './result.ts'
import { taskUnseen } from './running-tasks.ts'
import type { SessionGate } from './session-gate.ts'
import { taskUnder } from './under-task.ts'

/** Leave for one operation, given now and good for nothing else. */
export interface Permit {
  readonly decision: string
  readonly tenant: string
  readonly operation: Operation
  readonly upstream: URL
  /** What we show the upstream, made for this very message. */
  readonly credential: Carried['headers']
  /** The same for what Sallyport tells that server beside it (streams/tell-upstream.ts). */
  readonly carry: Carry
  /** The task that it was let in under; null: none. */
  readonly task: string | null
  /** For the client's next proof of possession; null: it needs no other. */
  readonly nonce: string | null
  readonly session: SessionGate
  /** What the server gets in place of the message; null: the very bytes that were received. */
  readonly sent: JsonObject | null
  /** Whether the client may see this result; null where no row speaks of results of this tool. */
  readonly mayReturn: ((result: JsonObject | null) => Promise<ResultAnswer>) | null
  /** Tells the session of one message, and whether it knows now; null where no rule would ask. */
  readonly observe: ((sent: Sent) => Promise<boolean>) | null
  /** What of a result is read as what the tool says. */
  readonly contentOf: (result: JsonObject) => JsonObject
  /** Labels that arrive with it, and not with the call that it answers. */
  readonly arriving: (result: JsonObject) => readonly string[]
  /** What becomes of a result that may be returned. */
  readonly answered: (result: JsonObject) => Promise<Answered>
  /** What is left of one that nobody may see. */
  readonly unseen: (result: JsonObject) => Promise<void>
  /** Tells what became of the operation, in all its parts. */
  readonly settle: (
    state: OutcomeState,
    detail: string,
    unread: boolean,
    erred: boolean,
  ) => Promise<void>
}

/** What a permit is made from. */
export interface Admitted {
  readonly operation: Operation
  readonly doors: Doors
  readonly background: Background
  readonly question: Question
  readonly session: SessionGate
  readonly argumentsKey: string
  readonly nonce: string | null
  /** null: it goes to no server itself. */
  readonly carried: Carried | null
  readonly carry: Carry
  readonly sent: JsonObject | null
  readonly recalled: Recalled
  /** Of the legacy session that its message came in; null: it came in none. */
  readonly mcp: McpSession | null
}

/** `others`: decisions about further parts of the same operation. */
export function permitOf(
  call: Admitted,
  decision: string,
  judged: Judged,
  labels: readonly string[],
  others: readonly string[],
): Permit {
  const { operation, question, session, nonce, sent } = call
  const { tenant } = question.actor
  const { server, facts, compiled } = judged
  const { origins } = server.flows(question.tool ?? '')
  const results = question.tool === null ? [] : server.tools.fields(question.tool).results
  // What a task came to is a result of the call that made it, whenever it is fetched.
  const brought =
    question.polls === true
      ? labelsOfCall(facts).filter((label) => label.startsWith('source.'))
      : []
  return {
    decision,
    tenant,
    operation,
    upstream: server.url,
    credential: call.carried?.headers ?? {},
    carry: call.carry,
    task: taskUnder(question, judged)?.id ?? null,
    nonce,
    session,
    sent,
    mayReturn:
      results.length === 0 ? null : (result) => decideResult(call, decision, judged, result),
    observe: observing(
      compiled.rules,
      [...labels, ...brought],
      results.length > 0 || brought.length > 0,
      (message) => session.observe(observationOf(decision, message, origins)),
    ),
    contentOf: (result) => contentOf(operation, result),
    arriving: (result) => (bringsOutput(operation, result) ? brought : []),
    answered: (result) => answered(call, decision, judged, result),
    unseen: (result) => taskUnseen(call, decision, judged, result),
    settle: async (...outcome) => {
      await Promise.all([decision, ...others].map((one) => session.settle(tenant, one, ...outcome)))
    },
  }
}

type Tell = (sent: Sent) => Promise<boolean>

/**
 * What the history is told of what comes back: all of it where some rule asks, else what resources in
 * it are labelled.
 *
 * INVARIANT: labels are told whether a rule asks or not: one that is added later finds them.
 */
function observing(
  { reads }: CompiledTenant['rules'],
  labels: readonly string[],
  mayBring: boolean,
  tell: Tell,
): Tell | null {
  if (reads.origins || labels.some((label) => reads.rowsOf.has(label))) return tell
  return mayBring ? async (sent) => !bringsLabels(sent) || tell(sent) : null
}

const bringsLabels = (sent: Sent): boolean => sent.kind === 'result' && sent.labels.length > 0
