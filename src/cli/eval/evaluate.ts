// One run over a set of recorded traces: a session of its own for each.
import type { RuleSet } from '../../pdp/sequence/advance.ts'
import { replay, type Setting } from './replay.ts'
import type { RecordedResults } from './results.ts'
import { Score, type Figures } from './score.ts'
import { ReplaySession } from './session.ts'
import type { Trace } from './trace.ts'
import { neededValues, rewritten, type Transform } from './transform.ts'

export interface Run extends Setting {
  readonly rules: RuleSet
  readonly results: RecordedResults
  readonly transform: Transform | null
  /** Benign traces count also where the task was not solved. */
  readonly unsolvedToo: boolean
}

const NOTHING: ReadonlySet<string> = new Set()

export function evaluate(traces: readonly Trace[], run: Run): Figures {
  const score = new Score(run.unsolvedToo)
  for (const trace of traces) {
    score.seen()
    if (!score.counts(trace.truth)) continue
    const needed = run.transform === null ? NOTHING : neededValues(trace, run.maps)
    const session = new ReplaySession(run.rules)
    const effects = replay(trace.recorded, run, session, (call, index, tool) => {
      const found = call.result === null ? null : run.results.found(call.result, tool)
      const injected = trace.truth.injected[index] === true
      return found && rewritten(found, tool.origins, run.transform, needed, injected)
    })
    score.add(trace.truth, effects)
  }
  return score.figures()
}
