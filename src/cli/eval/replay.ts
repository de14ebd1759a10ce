// One recorded trace through the sequence rules: what each call would have been told.
import type { Found } from '../../pdp/provenance/fields.ts'
import { argumentValues } from '../../pdp/provenance/arguments.ts'
import { canon, plain } from '../../pdp/provenance/canon.ts'
import type { Asked } from '../../pdp/provenance/asked.ts'
import type { MappedTool, ToolMaps } from './maps.ts'
import type { Effect } from './score.ts'
import type { ReplaySession } from './session.ts'
import type { TaskGrants } from './tasks.ts'
import type { Recorded, RecordedCall } from './trace.ts'

export interface Setting {
  readonly maps: ToolMaps
  /** Whether somebody has told Sallyport what the person asked for. */
  readonly prompt: boolean
  readonly tasks: TaskGrants
}

/** What the result of a granted call held; null where the call has none. */
export type FoundIn = (call: RecordedCall, index: number, tool: MappedTool) => Found | null

/**
 * Calls of one turn are judged before any of their results is known, and results are those of granted
 * calls alone: a refused call never ran. A tool that no catalogue lists is not judged.
 */
export function replay(
  recorded: Recorded,
  setting: Setting,
  session: ReplaySession,
  foundIn: FoundIn,
): Effect[] {
  const effects: Effect[] = []
  let arrivals: (() => void)[] = []
  let turn = Number.NaN
  for (const [index, call] of recorded.calls.entries()) {
    if (call.turn !== turn) {
      for (const arrive of arrivals) arrive()
      arrivals = []
      turn = call.turn
    }
    const tool = setting.maps.find(call.server, call.tool)
    if (tool === undefined) {
      effects.push('allow')
      continue
    }
    const { effect, answered } = session.admit({
      tool,
      access: tool.access(call.args),
      labels: tool.labels(call.args),
      values: argumentValues(call.args, tool.roles),
      asked: askedBefore(recorded, call, setting),
      // One second for each turn.
      at: call.turn * 1000,
      task: setting.tasks.find(recorded.suite, recorded.userTask) === undefined ? null : 'task',
      ownDomains: setting.maps.ownDomains(call.server),
    })
    effects.push(effect)
    if (effect !== 'allow') continue
    const found = foundIn(call, index, tool)
    arrivals.push(() => answered(found, call.failed))
  }
  return effects
}

/** What the person has said by then, and what the task names. */
function askedBefore(recorded: Recorded, call: RecordedCall, { prompt, tasks }: Setting): Asked {
  const grant = tasks.find(recorded.suite, recorded.userTask)
  const turns = recorded.userTurns.length === 0 ? [recorded.prompt] : recorded.userTurns
  const words = turns.slice(0, call.userTurnsSeen ?? turns.length).join('\n')
  return {
    text: prompt ? plain(words) : null,
    values: grant?.values.map(canon) ?? [],
    tools: grant?.tools ?? null,
    task: grant !== undefined,
  }
}
