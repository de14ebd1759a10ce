// What a session would remember of earlier calls, folded by the core's own functions.
import type { FlowOfCall } from '../../durable-objects/session-protocol.ts'
import { partsOf } from '../../mcp/result-parts.ts'
import type { JsonObject, JsonValue } from '../../mcp/value.ts'
import { findOrigins } from '../../pdp/provenance/fields.ts'
import {
  afterDenial,
  afterGrant,
  ended,
  observed,
  takenBack,
  type RuleSet,
} from '../../pdp/sequence/advance.ts'
import { MemoryInProcess } from '../../pdp/sequence/memory-in-process.ts'
import type { Moment, Observation, PastStep, Step } from '../../pdp/sequence/step.ts'
import { actorKeyOf, type Question } from '../../pep/question.ts'
import type { CompiledTenant } from '../../storage/compiled.ts'
import type { PastCall } from './call.ts'

export interface Remembered {
  readonly memory: MemoryInProcess
  /** The call in question, as that history sees it. */
  readonly step: Step
}

export function remembered(
  question: Question,
  history: readonly PastCall[],
  rules: RuleSet,
  flowIn: (past: Question) => FlowOfCall,
  compiled: Pick<CompiledTenant, 'servers'>,
  now: number,
): Remembered {
  const memory = new MemoryInProcess()
  for (const [at, past] of history.entries()) {
    const asked = {
      ...question,
      server: past.server ?? question.server,
      tool: past.tool,
      arguments: past.arguments,
    }
    const when = now - (past.secondsAgo ?? history.length - at) * 1000
    const step = stepOf(asked, flowIn(asked), { sequence: at + 1, at: when })
    const labels = [...new Set([...step.labels, ...past.labels])]
    remember(memory, rules, { ...step, labels }, past, observationOf(asked, past, compiled))
  }
  const moment = { sequence: history.length + 1, at: now }
  return { memory, step: stepOf(question, flowIn(question), moment) }
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
  const answered: PastStep = { ...step, answered: true }
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
    values: flow.values?.map((value) => ({ ...value, digest: value.text })) ?? null,
    asked: flow.asked,
    ownDomains: flow.ownDomains,
  }
}

function observationOf(
  { server, tool }: Question,
  { result, resultRows }: PastCall,
  compiled: Pick<CompiledTenant, 'servers'>,
): Observation {
  const origins = compiled.servers.get(server)?.flows(tool ?? '').origins ?? []
  const found = findOrigins(readable(result), origins)
  return {
    answer: true,
    rows: resultRows,
    labels: [],
    listed: found.listed.map(({ type, authority, text }) => ({ type, authority, digest: text })),
    fields: found.fields,
    mentions: found.mentions,
    overflow: found.overflow,
  }
}

/** As the Worker reads it: what is structured, and all of it as text. */
function readable(result: JsonObject | null): { structured: JsonValue | undefined; text: string } {
  if (result === null) return { structured: undefined, text: '' }
  const structured = partsOf(result).filter((part) => part !== undefined)
  const text = JSON.stringify(result)
  return { structured: structured.length > 1 ? structured : structured[0], text }
}
