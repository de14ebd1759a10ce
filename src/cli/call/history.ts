// What a session would remember of earlier calls, folded by the core's own functions.
import type { FlowOfCall } from '../../durable-objects/session-protocol.ts'
import { stringify } from '../../mcp/stringify.ts'
import type { JsonObject } from '../../mcp/value.ts'
import {
  afterDenial,
  afterGrant,
  ended,
  observed,
  takenBack,
  type RuleSet,
} from '../../pdp/sequence/advance.ts'
import { digestedObservation, digestedValues, type Digest } from '../../pdp/sequence/digested.ts'
import { MemoryInProcess } from '../../pdp/sequence/memory-in-process.ts'
import {
  NOTHING_READ,
  type EndedStep,
  type Moment,
  type Observation,
  type PastStep,
  type Step,
} from '../../pdp/sequence/step.ts'
import { observationOf } from '../../pep/observe.ts'
import { actorKeyOf } from '../../question/history-keys.ts'
import type { Question } from '../../question/question.ts'
import type { CompiledTenant } from '../../storage/compiled.ts'
import type { PastCall } from './call.ts'

/** Labels of the resources that a result names. */
export type LabelsOfResult = (past: Question, result: JsonObject) => readonly string[]

export interface Remembered {
  readonly memory: MemoryInProcess
  /** The call in question, as that history sees it. */
  readonly step: Step
  /** Earlier calls that were admitted under the task of this one. */
  readonly underTask: number
}

export function remembered(
  question: Question,
  history: readonly PastCall[],
  rules: RuleSet,
  flowIn: (past: Question) => FlowOfCall,
  broughtBy: LabelsOfResult,
  compiled: Pick<CompiledTenant, 'servers'>,
  now: number,
): Remembered {
  const memory = new MemoryInProcess()
  const own = flowIn(question)
  let underTask = 0
  for (const [at, past] of history.entries()) {
    const asked = {
      ...question,
      server: past.server ?? question.server,
      tool: past.tool,
      arguments: past.arguments,
    }
    const when = now - (past.secondsAgo ?? history.length - at) * 1000
    const step = stepOf(asked, flowIn(asked), { sequence: at + 1, at: when })
    const isCounted = past.outcome !== 'denied' && past.outcome !== 'failed'
    if (isCounted && own.task !== null && step.taskKey === own.task) underTask += 1
    const labels = [...new Set([...step.labels, ...past.labels])]
    remember(memory, rules, { ...step, labels }, past, seenIn(past, asked, broughtBy, compiled))
  }
  const moment = { sequence: history.length + 1, at: now }
  return { memory, step: stepOf(question, own, moment), underTask }
}

function remember(
  memory: MemoryInProcess,
  rules: RuleSet,
  step: Step,
  { outcome }: PastCall,
  observation: Observation,
): void {
  if (outcome === 'denied') {
    memory.apply(afterDenial(rules, memory, step))
    return
  }
  memory.apply(afterGrant(rules, memory, step))
  const past: PastStep = { ...step, answered: false }
  if (outcome === 'pending') return
  if (outcome === 'failed') {
    memory.apply(takenBack(rules, memory, past))
    return
  }
  memory.apply(observed(rules, memory, past, observation))
  // It was answered before the next one began: only what has happened can clear what was before.
  const answered: EndedStep = { ...step, answered: true, brought: observation.labels }
  memory.apply(ended(rules, memory, answered, step.now.sequence, outcome === 'committed'))
}

/** Texts stand for their digests: nothing of a case is kept. */
function stepOf(question: Question, flow: FlowOfCall, now: Moment): Step {
  return {
    actorKey: actorKeyOf(question.actor),
    taskKey: flow.task,
    server: question.server,
    tool: flow.tool,
    access: flow.access,
    labels: flow.labels,
    now,
    values: digestedValues(flow.values, asText),
    asked: flow.asked,
    ownDomains: flow.ownDomains,
  }
}

/** What it answered, as the Worker reads it; `result_rows` says how many rows there were instead. */
function seenIn(
  { result, resultRows }: PastCall,
  asked: Question,
  broughtBy: LabelsOfResult,
  compiled: Pick<CompiledTenant, 'servers'>,
): Observation {
  if (result === null) return { ...NOTHING_READ, rows: resultRows }
  const origins = compiled.servers.get(asked.server)?.flows(asked.tool ?? '').origins ?? []
  const letters = stringify(result).length
  const labels = broughtBy(asked, result)
  const seen = observationOf('history', { kind: 'result', result, letters, labels }, origins)
  return digestedObservation(seen, { ...seen, rows: resultRows ?? seen.rows }, asText)
}

const asText: Digest = (text) => text
