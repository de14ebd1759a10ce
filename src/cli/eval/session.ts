// A session in this process: the pure core that the Durable Object drives, with a memory of maps.
import { createHmac, randomBytes } from 'node:crypto'
import type { Access } from '../../pdp/evaluation.ts'
import type { ArgumentValue } from '../../pdp/provenance/arguments.ts'
import type { Asked } from '../../pdp/provenance/asked.ts'
import type { Found } from '../../pdp/provenance/fields.ts'
import {
  afterDenial,
  afterGrant,
  ended,
  judge,
  observed,
  type RuleHit,
  type RuleSet,
} from '../../pdp/sequence/advance.ts'
import { digestedObservation, digestedValues } from '../../pdp/sequence/digested.ts'
import { MemoryInProcess } from '../../pdp/sequence/memory-in-process.ts'
import { NOTHING_READ, type Step } from '../../pdp/sequence/step.ts'
import type { MappedTool } from './maps.ts'
import type { Effect } from './score.ts'

/** One call, as far as the rules are told of it. */
export interface ReplayStep {
  readonly tool: MappedTool
  readonly access: Access
  readonly labels: readonly string[]
  readonly values: readonly ArgumentValue[] | null
  readonly asked: Asked
  /** Epoch ms of a clock of the trace's own. */
  readonly at: number
  readonly task: string | null
  readonly ownDomains: readonly string[]
}

export interface Admission {
  readonly effect: Effect
  readonly hits: readonly RuleHit[]
  /** Of a granted call: its result has arrived; null where the recording has none. */
  readonly answered: (found: Found | null, failed: boolean) => void
}

export class ReplaySession {
  readonly memory = new MemoryInProcess()
  readonly #rules: RuleSet
  #sequence = 0

  constructor(rules: RuleSet) {
    this.#rules = rules
  }

  admit(call: ReplayStep): Admission {
    const step = this.#stepOf(call)
    const hits = judge(this.#rules, this.memory, step)
    const effect = hits.find((hit) => hit.effect !== 'audit')?.effect ?? 'allow'
    if (effect === 'allow' || effect === 'audit') {
      this.memory.apply(afterGrant(this.#rules, this.memory, step))
      return { effect: 'allow', hits, answered: (...result) => this.#answer(step, ...result) }
    }
    // A call that is asked about leaves nothing: nobody has said yes.
    if (effect === 'deny') this.memory.apply(afterDenial(this.#rules, this.memory, step))
    return { effect, hits, answered: () => {} }
  }

  #answer(step: Step, found: Found | null, failed: boolean): void {
    const past = { ...step, answered: false }
    const seen =
      found === null ? NOTHING_READ : digestedObservation(found, OF_PRINTED_RESULT, digestOf)
    this.memory.apply(observed(this.#rules, this.memory, past, seen))
    const done = { ...step, answered: true, brought: seen.labels }
    this.memory.apply(ended(this.#rules, this.memory, done, this.#sequence, !failed))
  }

  #stepOf(call: ReplayStep): Step {
    this.#sequence += 1
    return {
      actorKey: 'actor',
      taskKey: call.task,
      server: call.tool.server,
      tool: call.tool.tool,
      access: call.access,
      labels: call.labels,
      now: { sequence: this.#sequence, at: call.at },
      values: digestedValues(call.values, digestOf),
      asked: call.asked,
      ownDomains: call.ownDomains,
    }
  }
}

/** How many rows a printed result holds is not known, and counts as unbounded. */
const OF_PRINTED_RESULT = { answer: true, rows: null, labels: [] }

const KEY = randomBytes(32)
const digests = new Map<string, string>()

/** 132 bits under a key of this run, as the session keeps values. */
export function digestOf(text: string): string {
  const known = digests.get(text)
  if (known !== undefined) return known
  const digest = createHmac('sha256', KEY).update(text).digest('base64url').slice(0, 22)
  digests.set(text, digest)
  return digest
}
