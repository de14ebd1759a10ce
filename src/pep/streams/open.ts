import type { McpSession } from '../../durable-objects/mcp-protocol.ts'
import { readJson } from '../../mcp/json.ts'
import type { Operation } from '../../mcp/operation.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../mcp/value.ts'
import { actorKeyOf } from '../../question/history-keys.ts'
import { questionOf } from '../../question/question.ts'
import { err, ok, type Result } from '../../result.ts'
import { flowOf } from '../flow.ts'
import { carrying } from '../credential-for.ts'
import type { Asked, Attempt, Call, Refused } from '../decide.ts'
import { judgeSeen, type Judged } from '../judge.ts'
import { mattersOf, recallOf, type Place } from '../matters.ts'
import { networkOf } from '../network.ts'
import { permitOf, type Admitted, type Permit } from '../permit.ts'
import { argumentsKeyOf } from '../record.ts'
import { undecided, withhold } from '../result.ts'
import { taskUnseen } from '../running-tasks.ts'
import { underTask } from '../under-task.ts'
import { Judgement, type Standing } from './judgement.ts'
import { Reach } from './reach.ts'

/** What goes on being asked about an operation while it is open. */
export interface Open {
  readonly whose: Place
  /** As it was received. */
  readonly message: JsonValue
  /** Its legacy session; null: a modern message. */
  readonly mcp: McpSession | null
  /** What the client said that it can do: in this request, or in its handshake. */
  readonly capabilities: JsonObject
  readonly standing: Standing
  readonly reach: Reach
  /** Leave for what comes back about another operation of this actor, by the rows as they are now. */
  readonly permitFor: (about: About, decision: string) => Promise<Result<Permit, Refused>>
}

/** Another operation of the same actor. */
export interface About {
  readonly operation: Operation
  readonly message: JsonValue
  /** The task that it was let in under; absent: that of this one. */
  readonly task?: string | null
  /** What came back of it: also where that is for nobody, it may say that something runs. */
  readonly result?: JsonObject
}

export type OpenPermit = Permit & { readonly open: Open }

export function openOf(call: Call, attempts: readonly [Attempt, ...Attempt[]]): Open {
  const { operation } = call
  const [first] = attempts
  const later = laterOf(call, first.judged)
  const { mcp } = first
  const { actor, server } = call.asked[0].question
  return {
    message: call.received.message,
    whose: { actorKey: actorKeyOf(actor), server },
    mcp,
    capabilities: operation.capabilities ?? capabilitiesOf(mcp),
    standing: new Judgement(later, first),
    reach: new Reach(later),
    permitFor: (about, decision) => permitFor({ ...later, mcp }, first.judged, about, decision),
  }
}

/** What goes on being asked is asked under the task that the call was let in under. */
function laterOf(call: Call, judged: Judged): Call {
  const again = (one: Asked): Asked => ({ ...one, question: underTask(one.question, judged) })
  const [first, ...others] = call.asked
  return { ...call, asked: [again(first), ...others.map(again)] }
}

function capabilitiesOf(mcp: McpSession | null): JsonObject {
  const read = readJson(mcp?.capabilities ?? '{}')
  return read.ok && isJsonObject(read.value) ? read.value : {}
}

/**
 * INVARIANT: what belongs to an earlier call is decided as that call, not as the stream that it comes in.
 */
async function permitFor(
  call: Call & Pick<Admitted, 'mcp'>,
  { compiled }: Judged,
  { operation, message, task, result }: About,
  decision: string,
): Promise<Result<Permit, Refused>> {
  const { caller, received, session, doors, background } = call
  const { actor, taskHandle, underTask: own } = call.asked[0].question
  const place = { actorKey: actorKeyOf(actor), server: received.server }
  const recall = recallOf(operation)
  const recalled = recall === null ? call.recalled : await session.recall({ ...recall, ...place })
  if (recalled === null) return err(undecided(decision).refused)
  const matters = await mattersOf(operation, message, recalled, place)
  const [{ matter, refusal }] = matters.parts
  const earlier = task === undefined ? matter.underTask : task
  const under = own === undefined ? {} : { underTask: own }
  const network = networkOf(received.request)
  const question = {
    ...(await questionOf(caller.claims, received.server, operation, matter, network)),
    // The handle of this request names its own task, and not that of an earlier one.
    ...(earlier === undefined ? { taskHandle, ...under } : { underTask: earlier }),
  }
  const judged = await judgeSeen(question, compiled, doors, background)
  if (!judged.ok) return err({ refusal: judged.error, decision: null })
  const admitted = {
    ...call,
    operation,
    question,
    recalled,
    argumentsKey: matter.arguments === null ? '' : await argumentsKeyOf(matter.arguments),
    nonce: null,
    sent: null,
    carried: null,
    carry: carrying(question, decision, judged.value, call),
  }
  const because = judged.value.refusal ?? refusal
  if (because !== null) {
    if (result !== undefined) background(taskUnseen(admitted, decision, judged.value, result))
    return err(await withhold(admitted, decision, judged.value, because))
  }
  const { labels } = flowOf(question, judged.value)
  return ok(permitOf(admitted, decision, judged.value, labels, []))
}
